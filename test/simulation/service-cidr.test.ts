import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isStatusError } from '#api/meta/status.ts'
import { ipAddresses, serviceCIDRs } from '#api/types/resources.ts'
import { smallCluster } from './small-cluster.ts'

test('a range of service addresses is ready, and stays while an address of it is in use', async (t) => {
  const cluster = await smallCluster(t)
  const ranges = cluster.client.resource(serviceCIDRs)
  const addresses = cluster.client.resource(ipAddresses)
  await ranges.create({ metadata: { name: 'more' }, spec: { cidrs: ['192.0.2.0/28'] } })
  const ready = async () => (await ranges.get('more')).status?.conditions?.find(({ type }) => type === 'Ready')
  await cluster.until('it is ready', async () => (await ready())?.status === 'True')
  const parentRef = { resource: 'services', namespace: 'test', name: 'web' }
  await addresses.create({ metadata: { name: '192.0.2.3' }, spec: { parentRef } })
  await cluster.settle()
  await ranges.delete('more')
  await cluster.until('it is held back', async () => (await ready())?.reason === 'Terminating')
  assert.ok((await ranges.get('more')).metadata.finalizers?.includes('networking.k8s.io/service-cidr-finalizer'))
  await addresses.delete('192.0.2.3')
  await cluster.until('it is gone', () =>
    ranges.get('more').then(
      () => false,
      (error: unknown) => isStatusError(error, 'NotFound'),
    ),
  )
})
