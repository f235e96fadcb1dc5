/** Goal: service accounts and what their pods need are kept. Method: the whole cluster in this process, without nodes. */
import assert from 'node:assert/strict'
import type { ConfigMap } from '#api/types/core.v1.ts'
import { configMaps, serviceAccounts } from '#api/types/resources.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { addNamespace, wholeCluster, type WholeCluster } from './whole-cluster.ts'

const area = 'auth/service_accounts'
const namespace = 'test'

behaviour(area, 'ServiceAccounts should run through the lifecycle of a ServiceAccount', async (t) => {
  const { client } = await wholeCluster(t, { nodes: [] })
  const accounts = client.resource(serviceAccounts, namespace)
  const { resourceVersion } = await accounts.list()
  const labels = { 'test-serviceaccount-static': 'true' }
  await accounts.create({ metadata: { name: 'mine', labels } })
  await accounts.patch('mine', { type: 'strategic', patch: { automountServiceAccountToken: false } })
  const { items } = await client.resource(serviceAccounts).list({ labelSelector: 'test-serviceaccount-static=true' })
  assert.deepEqual(
    items.map((account) => [account.metadata.name, account.automountServiceAccountToken]),
    [['mine', false]],
  )
  await accounts.deleteCollection({ labelSelector: 'test-serviceaccount-static=true' })
  const seen: string[] = []
  for await (const { type } of accounts.watch({ resourceVersion, labelSelector: 'test-serviceaccount-static=true' })) {
    seen.push(type)
    if (type === 'DELETED') break
  }
  assert.deepEqual(seen, ['ADDED', 'MODIFIED', 'DELETED'])
})

behaviour(area, 'ServiceAccounts should update a ServiceAccount', async (t) => {
  const { client } = await wholeCluster(t, { nodes: [] })
  const accounts = client.resource(serviceAccounts, namespace)
  const created = await accounts.create({ metadata: { name: 'mine' } })
  assert.equal(created.automountServiceAccountToken, undefined)
  const updated = await accounts.update({ ...created, automountServiceAccountToken: true })
  assert.equal(updated.automountServiceAccountToken, true)
  assert.equal((await accounts.get('mine')).automountServiceAccountToken, true)
})

const name = 'kube-root-ca.crt'

async function rootCa({ client }: WholeCluster): Promise<ConfigMap | undefined> {
  const { items } = await client.resource(configMaps, 'fresh').list({ fieldSelector: `metadata.name=${name}` })
  return items[0]
}

behaviour(area, 'ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace', async (t) => {
  const cluster = await wholeCluster(t, { nodes: [] })
  await addNamespace(cluster, 'fresh')
  const maps = cluster.client.resource(configMaps, 'fresh')
  await cluster.until('the map is there', async () => (await rootCa(cluster)) !== undefined)
  const first = await maps.get(name)
  assert.notEqual(first.data?.['ca.crt'] ?? '', '')
  await maps.delete(name)
  await cluster.until('it is there again', async () => {
    const again = await rootCa(cluster)
    return again !== undefined && again.metadata.uid !== first.metadata.uid
  })
  await maps.patch(name, { type: 'json', operations: [{ op: 'replace', path: '/data', value: { 'ca.crt': '' } }] })
  await cluster.until('it is as it was', async () => {
    const restored = await rootCa(cluster)
    return restored?.data?.['ca.crt'] === first.data?.['ca.crt']
  })
})
