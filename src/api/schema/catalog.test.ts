import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builtInKinds } from '../kinds.ts'
import { builtInCatalog } from './catalog.ts'
import { kindNode, type ObjectNode } from './node.ts'
import { validateBySchema } from './validate.ts'

test('resources are found by name and by kind', () => {
  const catalog = builtInCatalog()
  const deployments = catalog.find('apps', 'v1', 'deployments')
  assert.equal(deployments?.kind, 'Deployment')
  assert.deepEqual([...(deployments?.subresources.keys() ?? [])], ['scale', 'status'])
  const scale = deployments?.subresources.get('scale')
  assert.deepEqual([scale?.group, scale?.version, scale?.kind], ['autoscaling', 'v1', 'Scale'])
  assert.equal(scale?.node, kindNode('autoscaling', 'v1', 'Scale'))
  assert.equal(catalog.find('', 'v1', 'pods')?.subresources.get('eviction')?.group, 'policy')
  assert.equal(catalog.find('', 'v1', 'pods')?.subresources.get('exec')?.node, undefined)
  assert.equal(catalog.findKind('', 'v1', 'Pod')?.plural, 'pods')
  assert.equal(catalog.find('', 'v1', 'nothing'), undefined)
  assert.equal(catalog.find('', 'v2', 'pods'), undefined)
  assert.deepEqual(catalog.find('autoscaling', 'v1', 'horizontalpodautoscalers')?.storage, {
    group: 'autoscaling',
    version: 'v2',
  })
  assert.equal(catalog.inVersion('policy', 'v1').length, 1)
  assert.equal(catalog.rows('policy', 'v1').length, 2)
})

test('every resource has a type', () => {
  for (const resource of builtInCatalog().resources) assert.equal(resource.node.shape, 'object', resource.plural)
})

test('a kind without a file is validated by its schema', () => {
  const node = kindNode('storage.k8s.io', 'v1', 'VolumeAttachment') as ObjectNode
  const errors = validateBySchema(node, { spec: { attacher: '', nodeName: 'n', source: {} } })
  assert.deepEqual(
    errors.map((error) => `${error.field}: ${error.message}`),
    ['spec.attacher: Required value'],
  )
  const kind = builtInKinds().find('storage.k8s.io', 'v1', 'Nothing')
  assert.equal(kind.hasGeneration, false)
  assert.equal(builtInKinds().find('', 'v1', 'LimitRange'), builtInKinds().find('', 'v1', 'LimitRange'))
})
