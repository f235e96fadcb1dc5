import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { configMaps, pods } from '#api/types/resources.ts'
import type { Informer, InformerListener, Informers } from './informer.ts'
import { ObjectIndex } from './object-index.ts'
import { partitionedInformers, partitionOf } from './partitioned-informers.ts'

/** One informer that the test feeds, and what was asked of the shared informers. */
function fed() {
  const objects = new ObjectIndex<KubernetesObject>()
  const listeners = new Set<InformerListener<KubernetesObject>>()
  const base: Informer<KubernetesObject> = {
    hasSynced: true,
    resourceVersion: '1',
    get: (name, namespace) => objects.get(`${namespace}/${name}`),
    list: (namespace) => objects.list(namespace),
    index: (name, keysOf) => objects.index(name, keysOf),
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const asked: string[] = []
  const shared: Informers = {
    of(resource, options = {}) {
      asked.push(`${resource.plural} ${options.fieldSelector ?? ''}`.trim())
      return base as never
    },
    release: () => undefined,
    synced: async () => undefined,
    stop: async () => undefined,
  }
  const put = (name: string, nodeName: string): void => {
    const object = { metadata: { name, namespace: 'a' }, spec: { nodeName } } as unknown as Pod
    const previous = objects.put(object)
    for (const listener of listeners) {
      if (previous === undefined) listener.added?.(object)
      else listener.updated?.(object, previous)
    }
  }
  const remove = (name: string): void => {
    const object = objects.remove(`a/${name}`)
    if (object !== undefined) for (const listener of listeners) listener.deleted?.(object)
  }
  const informers = partitionedInformers(shared, [partitionOf(pods, 'spec.nodeName', (pod) => pod.spec.nodeName ?? '')])
  return { informers, asked, put, remove }
}

const ofNode = (informers: Informers, node: string): Informer<Pod> =>
  informers.of(pods, { fieldSelector: `spec.nodeName=${node}` })

function record(informer: Informer<Pod>): { readonly seen: string[]; readonly stop: () => void } {
  const seen: string[] = []
  const stop = informer.listen({
    added: ({ metadata }) => seen.push(`+${metadata.name}`),
    updated: ({ metadata }) => seen.push(`~${metadata.name}`),
    deleted: ({ metadata }) => seen.push(`-${metadata.name}`),
  })
  return { seen, stop }
}

test('each value has its part of one copy, and hears of nothing else', () => {
  const { informers, asked, put, remove } = fed()
  const [one, two] = [ofNode(informers, 'one'), ofNode(informers, 'two')]
  put('early', 'one')
  const first = record(one)
  const second = record(two)
  put('p', '')
  put('p', 'two')
  put('p', 'two')
  put('q', 'one')
  remove('early')
  assert.deepEqual(first.seen, ['+early', '+q', '-early'])
  assert.deepEqual(second.seen, ['+p', '~p'])
  assert.deepEqual(asked, ['pods'])
  assert.deepEqual(
    [one, two].map((informer) => informer.list().map(({ metadata }) => metadata.name)),
    [['q'], ['p']],
  )
  assert.equal(one.get('p', 'a'), undefined)
  assert.equal(two.get('p', 'a')?.metadata.name, 'p')
  second.stop()
  remove('p')
  assert.deepEqual(second.seen, ['+p', '~p'])
})

test('an object that changes its value goes from one reader to the other', () => {
  const { informers, put } = fed()
  const first = record(ofNode(informers, 'one'))
  const second = record(ofNode(informers, 'two'))
  put('p', 'one')
  put('p', 'two')
  assert.deepEqual([first.seen, second.seen], [['+p', '-p'], ['+p']])
})

test('what is asked for otherwise comes from the shared informers', () => {
  const { informers, asked } = fed()
  informers.of(configMaps)
  informers.of(pods, { fieldSelector: 'status.phase=Running' })
  informers.of(pods, { fieldSelector: 'spec.nodeName=a,status.phase=Running' })
  informers.of(pods, { namespace: 'a', fieldSelector: 'spec.nodeName=a' })
  assert.deepEqual(asked, [
    'configmaps',
    'pods status.phase=Running',
    'pods spec.nodeName=a,status.phase=Running',
    'pods spec.nodeName=a',
  ])
})
