/**
 * Goal: a secret made for a service account holds a token that the API server believes for as long as both are there.
 * Method: all controllers on the real API server, and the server's own authenticators on what it stores.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newPrivateKey } from '#lib/x509/key-pair-text.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { Secret } from '#api/types/core.v1.ts'
import { secrets, serviceAccounts } from '#api/types/resources.ts'
import { secretTokenAuthenticator } from '#apiserver/authn/secret-token.ts'
import { readerOf } from '#apiserver/registry/object-reader.case.ts'
import { signJwt, tokenKey } from '#apiserver/tokens/jwt.ts'
import { rootCa } from './api-server.ts'
import { smallCluster } from './small-cluster.ts'

const decode = (text = ''): string => Buffer.from(text, 'base64').toString()

test('a secret for a service account is filled in, believed, and goes with the account', async (t) => {
  const key = tokenKey(newPrivateKey())
  const cluster = await smallCluster(t, { signToken: (claims) => signJwt(claims, key) })
  const { client } = cluster
  const account = await client.resource(serviceAccounts, 'test').create({ metadata: { name: 'robot' } })
  const annotations = { 'kubernetes.io/service-account.name': 'robot' }
  const type = 'kubernetes.io/service-account-token'
  await client.resource(secrets, 'test').create({ metadata: { name: 'robot-token', annotations }, type })
  const read = (): Promise<Secret> => client.resource(secrets, 'test').get('robot-token')
  await cluster.until('the secret has its token', async () => (await read()).data?.['token'] !== undefined)
  const secret = await read()
  assert.equal(decode(secret.data?.['ca.crt']), rootCa)
  assert.equal(decode(secret.data?.['namespace']), 'test')
  assert.equal(secret.metadata.annotations?.['kubernetes.io/service-account.uid'], account.metadata.uid)

  const token = decode(secret.data?.['token'])
  const believed = (...objects: readonly KubernetesObject[]) =>
    secretTokenAuthenticator({ reader: readerOf(...(objects as never[])), keys: [key] }).authenticate(token, ['api'])
  assert.equal(believed(secret, account)?.user.name, 'system:serviceaccount:test:robot')
  assert.throws(() => believed(account), /has been invalidated/)
  assert.throws(
    () => believed(secret, { ...account, metadata: { ...account.metadata, uid: 'another' } }),
    /has been invalidated/,
  )
  assert.throws(() => believed({ ...secret, data: { token: 'b3RoZXI=' } } as Secret, account), /has been invalidated/)

  await client.resource(serviceAccounts, 'test').delete('robot')
  await cluster.until(
    'the secret went with its account',
    async () => (await client.resource(secrets, 'test').list()).items.length === 0,
  )
})
