/**
 * Goal: a secret made for a service account holds a token that the API server believes for as long as both are there.
 * Method: all controllers on the real API server, and the server's own authenticators on what it stores.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newPrivateKey } from '#lib/x509/key-pair-text.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { Secret } from '#api/types/core.v1.ts'
import { configMaps, secrets, serviceAccounts } from '#api/types/resources.ts'
import { secretTokenAuthenticator } from '#apiserver/authn/secret-token.ts'
import { readerOf } from '#apiserver/registry/object-reader.case.ts'
import { signJwt, tokenKey } from '#apiserver/tokens/jwt.ts'
import { createInformers } from '#client/informers.ts'
import { legacyTokenCleaner } from '#controllers/legacy-token-cleaner/controller.ts'
import { jsonLog } from '#lib/log.ts'
import { seededRandom } from '#lib/random.ts'
import { rootCa } from './api-server.ts'
import { smallCluster } from './small-cluster.ts'

const tracking = 'kube-apiserver-legacy-service-account-token-tracking'
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
  const uses: string[] = []
  const used = ({ metadata }: Secret): void => void uses.push(metadata.name)
  const believed = (...objects: readonly KubernetesObject[]) =>
    secretTokenAuthenticator({ reader: readerOf(...(objects as never[])), keys: [key], used }).authenticate(token, [
      'api',
    ])
  assert.equal(believed(secret, account)?.user.name, 'system:serviceaccount:test:robot')
  const labels = { 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' }
  const revoked = { ...secret, metadata: { ...secret.metadata, labels } }
  assert.throws(() => believed(revoked, account), /has been invalidated/)
  assert.deepEqual(uses, ['robot-token', 'robot-token'])
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

test('a token that the cluster made by itself is invalid after a year without use, and goes after another', async (t) => {
  const key = tokenKey(newPrivateKey())
  const cluster = await smallCluster(t, { signToken: (claims) => signJwt(claims, key) })
  const { client, clock } = cluster
  const since = { since: new Date(clock.now()).toISOString().slice(0, 10) }
  await client.resource(configMaps, 'kube-system').create({ metadata: { name: tracking }, data: since })
  await client.resource(serviceAccounts, 'test').create({ metadata: { name: 'robot' }, secrets: [{ name: 'old' }] })
  const annotations = { 'kubernetes.io/service-account.name': 'robot' }
  for (const name of ['old', 'asked-for']) {
    const type = 'kubernetes.io/service-account-token'
    await client.resource(secrets, 'test').create({ metadata: { name, annotations }, type })
  }
  const list = async (): Promise<readonly Secret[]> => (await client.resource(secrets, 'test').list()).items
  await cluster.until('the secrets have tokens', async () => (await list()).every(({ data }) => data?.['token']))

  // Years would take the other controllers long: only this one is told of them.
  const log = jsonLog({ clock, level: 'error', write: () => undefined })
  const informers = createInformers({ client, clock, random: seededRandom(1), log })
  t.after(() => informers.stop())
  for (const { resource } of legacyTokenCleaner.watches) informers.of(resource)
  const after = async (days: number): Promise<readonly (readonly [string, boolean])[]> => {
    await cluster.until(
      'caches are full',
      () => informers.of(secrets).hasSynced && informers.of(serviceAccounts).hasSynced,
    )
    const later = { ...clock, now: () => clock.now() + days * 86_400_000 }
    for (const name of ['old', 'asked-for']) {
      await legacyTokenCleaner.reconcile(`test/${name}`, { client, informers, clock: later } as never)
    }
    await clock.advance(1)
    const left = await list()
    return left.map(({ metadata: { name, labels } }) => [name, labels !== undefined] as const)
  }
  assert.deepEqual(await after(364), [
    ['asked-for', false],
    ['old', false],
  ])
  assert.deepEqual(await after(366), [
    ['asked-for', false],
    ['old', true],
  ])
  assert.deepEqual(await after(366 + 364), [
    ['asked-for', false],
    ['old', true],
  ])
  assert.deepEqual(await after(366 + 366), [['asked-for', false]])
})
