import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { bootstrapTokenSecret } from '#api/core/v1/bootstrap-token.ts'
import { configMaps, namespaces, secrets } from '#api/types/resources.ts'
import { smallCluster } from './small-cluster.ts'

test('the discovery carries the signature of each token as long as the token lives', async (t) => {
  const cluster = await smallCluster(t)
  const { client, clock } = cluster
  await client.resource(namespaces).get('kube-public')
  const infos = client.resource(configMaps, 'kube-public')
  await infos.create({ metadata: { name: 'cluster-info' }, data: { kubeconfig: 'the kubeconfig' } })
  const token = { id: 'abcdef', secret: '0123456789abcdef', description: '', extraGroups: [] }
  await client
    .resource(secrets, 'kube-system')
    .create(bootstrapTokenSecret({ ...token, expiresAtMs: clock.now() + 60_000 }))
  const signature = async (): Promise<string | undefined> =>
    (await infos.get('cluster-info')).data?.['jws-kubeconfig-abcdef']
  await cluster.until('it is signed', async () => (await signature()) !== undefined)
  const [header = '', payload, mac] = ((await signature()) ?? '').split('.')
  assert.deepEqual(JSON.parse(Buffer.from(header, 'base64url').toString()), { alg: 'HS256', kid: 'abcdef' })
  assert.equal(payload, '')
  const signed = `${header}.${Buffer.from('the kubeconfig').toString('base64url')}`
  assert.equal(mac, createHmac('sha256', token.secret).update(signed).digest('base64url'))
  await clock.advance(61_000)
  await cluster.until('the signature is gone', async () => (await signature()) === undefined)
})
