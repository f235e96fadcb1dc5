import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import { pods, resourceClaims, resourceClaimTemplates } from '#api/types/resources.ts'
import { smallCluster, type SmallCluster } from './small-cluster.ts'

async function podWithClaim(cluster: SmallCluster, hasTemplate = true): Promise<Pod> {
  const { client } = cluster
  await cluster.settle()
  const devices = { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu.example.com' } }] }
  if (hasTemplate) {
    const spec = { metadata: { labels: { made: 'here' } }, spec: { devices } }
    await client.resource(resourceClaimTemplates, 'test').create({ metadata: { name: 'one-gpu' }, spec } as never)
  }
  const container = { name: 'c', image: 'i', resources: { claims: [{ name: 'gpu' }] } }
  const spec = { containers: [container], resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'one-gpu' }] }
  return client.resource(pods, 'test').create({ metadata: { name: 'work' }, spec } as never)
}

const claims = async ({ client }: SmallCluster) => (await client.resource(resourceClaims, 'test').list()).items

test('a pod gets the claim that its template describes, once, and is told its name', async (t) => {
  const cluster = await smallCluster(t)
  await podWithClaim(cluster)
  const named = async () => (await cluster.client.resource(pods, 'test').get('work')).status?.resourceClaimStatuses
  await cluster.until('the pod knows its claim', async () => (await named())?.length === 1)
  const [claim, ...others] = await claims(cluster)
  assert.deepEqual(others, [])
  assert.equal((await named())?.[0]?.resourceClaimName, claim?.metadata.name)
  assert.match(claim?.metadata.name ?? '', /^work-gpu-/)
  assert.equal(claim?.metadata.labels?.['made'], 'here')
  assert.equal(claim?.metadata.ownerReferences?.[0]?.name, 'work')
})

test('a pod waits for its template', async (t) => {
  const cluster = await smallCluster(t)
  await podWithClaim(cluster, false)
  await cluster.settle()
  assert.deepEqual(await claims(cluster), [])
  const devices = { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu.example.com' } }] }
  await cluster.client
    .resource(resourceClaimTemplates, 'test')
    .create({ metadata: { name: 'one-gpu' }, spec: { spec: { devices } } } as never)
  await cluster.until('the claim is made', async () => (await claims(cluster)).length === 1)
})

test('when the pod is done its claim is freed and goes', async (t) => {
  const cluster = await smallCluster(t)
  const { client } = cluster
  const pod = await podWithClaim(cluster)
  await cluster.until('the claim is made', async () => (await claims(cluster)).length === 1)
  const collection = client.resource(resourceClaims, 'test')
  const [made] = await claims(cluster)
  assert.ok(made)
  const finalizers = ['resource.kubernetes.io/delete-protection']
  const held = await collection.update({ ...made, metadata: { ...made.metadata, finalizers } })
  const reservedFor = [{ resource: 'pods', name: 'work', uid: pod.metadata.uid }]
  const results = [{ request: 'gpu', driver: 'gpu.example.com', pool: 'n1', device: 'gpu-0' }]
  await collection.updateStatus({ ...held, status: { allocation: { devices: { results } }, reservedFor } })
  await cluster.run(pod)
  await cluster.settle()
  assert.equal((await claims(cluster))[0]?.status?.reservedFor?.length, 1)
  await client
    .resource(pods, 'test')
    .patch('work', { type: 'merge', patch: { status: { phase: 'Succeeded' } } }, { subresource: 'status' })
  await cluster.until('the claim is gone', async () => (await claims(cluster)).length === 0)
})
