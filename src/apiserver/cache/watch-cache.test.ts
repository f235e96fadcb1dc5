import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { CacheWatcher } from './cache-watcher.ts'
import { nameOfObject } from './field-index.ts'
import { ObjectCodec } from './object-codec.ts'
import { SortedByKey } from './sorted-by-key.ts'
import type { StoredObject } from './stored-object.ts'
import { WatchCache } from './watch-cache.ts'

const prefix = '/registry/core/things/'

function thing(name: string, label = ''): Draft<KubernetesObject> {
  const metadata = { name, namespace: 'n', labels: { label } }
  return { kind: 'Thing', apiVersion: 'v1', metadata } as unknown as Draft<KubernetesObject>
}

function newCache(): { cache: WatchCache; put: (name: string, revision: number) => void } {
  const codec = new ObjectCodec()
  const cache = new WatchCache(prefix, codec)
  cache.reset([], 1)
  const put = (name: string, revision: number): void =>
    cache.change({ key: `${prefix}n/${name}`, revision, value: codec.encode(thing(name)) })
  return { cache, put }
}

const everything = { keyPrefix: prefix, matches: () => true }

test('stored bytes are the JSON of the object but for its resourceVersion, which is spliced in', () => {
  const codec = new ObjectCodec()
  const bytes = codec.encode(thing('a', 'Ünïcode "quoted"'))
  assert.equal(Buffer.from(bytes).includes('resourceVersion'), false)
  for (const object of [codec.decode(bytes, 7), new ObjectCodec().decode(Buffer.from(bytes), 7)]) {
    assert.equal(object.metadata.resourceVersion, '7')
    assert.throws(() => Object.assign(object.metadata, { name: 'b' }), TypeError)
  }
  const form = codec.storedForm(codec.decode(codec.encode(thing('b')), 8))
  const wire = JSON.parse(
    (form?.head ?? '') + Buffer.from(form?.bytes.subarray(form.from) ?? []).toString(),
  ) as KubernetesObject
  assert.deepEqual([wire.kind, wire.metadata.name, wire.metadata.resourceVersion], ['Thing', 'b', '8'])
})

test('bytes of another writer, laid out differently, are served all the same', () => {
  const codec = new ObjectCodec()
  const object = codec.decode(Buffer.from('{"metadata":{"name":"a"},"kind":"Thing","apiVersion":"v1"}'), 3)
  assert.equal(object.metadata.resourceVersion, '3')
  assert.equal(codec.storedForm(object), undefined)
})

test('a watch from the past gets what it missed, and 410 when that is forgotten', async () => {
  const { cache, put } = newCache()
  put('a', 5)
  put('b', 6)
  const watcher = cache.watch({ ...everything, from: 5 })
  put('a', 7)
  const seen = await watcher.takeAll()
  assert.deepEqual(
    seen?.map(({ type, object }) => `${type} ${(object as KubernetesObject).metadata.name}`),
    ['ADDED b', 'MODIFIED a'],
  )
  for (let revision = 8; revision < 2_100; revision++) put('a', revision)
  assert.throws(() => cache.watch({ ...everything, from: 5 }), {
    reason: 'Expired',
    message: /^too old resource version: 5 /,
  })
  assert.equal(cache.watch({ ...everything, from: 2_000 }).isClosed, false)
})

test('a watch from the future is silent until then', async () => {
  const { cache, put } = newCache()
  const watcher = cache.watch({ ...everything, from: 9 })
  put('a', 8)
  put('b', 9)
  put('c', 10)
  assert.equal((await watcher.takeAll())?.length, 1)
})

test('a watcher that does not keep up is cut off, and the others are not', async () => {
  const { cache, put } = newCache()
  const slow = cache.watch({ ...everything, from: 1 })
  for (let index = 0; index <= CacheWatcher.capacity; index++) put('a', index + 2)
  assert.equal(cache.watcherCount, 0)
  assert.equal((await slow.takeAll())?.length, CacheWatcher.capacity)
  assert.equal(await slow.takeAll(), undefined)
})

test('watchers share the events they see', async () => {
  const { cache, put } = newCache()
  const [one, other] = [cache.watch({ ...everything, from: 1 }), cache.watch({ ...everything, from: 1 })]
  put('a', 2)
  assert.equal((await one.takeAll())?.[0], (await other.takeAll())?.[0])
})

test('after a reset every watcher must begin anew', async () => {
  const { cache, put } = newCache()
  put('a', 2)
  const watcher = cache.watch({ ...everything, from: 2 })
  cache.reset([], 9)
  assert.equal(await watcher.takeAll(), undefined)
  assert.equal(cache.size, 0)
  assert.throws(() => cache.watch({ ...everything, from: 8 }), { reason: 'Expired' })
})

test('a list keeps its identity until something in its scope changes', () => {
  const { cache, put } = newCache()
  put('a', 2)
  const list = cache.objects(`${prefix}n/`)
  assert.equal(cache.objects(`${prefix}n/`), list)
  cache.change({ key: `${prefix}other/x`, revision: 3, value: Buffer.from(JSON.stringify(thing('x'))) })
  assert.equal(cache.objects(`${prefix}n/`), list)
  put('b', 4)
  assert.notEqual(cache.objects(`${prefix}n/`), list)
})

test('a pinned watch and a pinned list see what one that looks at all objects sees', async () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const step = fc.record({ name, label: fc.constantFrom('', 'x', 'y'), remove: fc.boolean() })
  const labelField = { name: 'label', valueOf: ({ metadata }: KubernetesObject) => metadata.labels?.['label'] ?? '' }
  const field = fc.constantFrom(labelField, nameOfObject)
  await fc.assert(
    fc.asyncProperty(fc.array(step), field, fc.constantFrom('x', 'a', ''), async (steps, pinned, value) => {
      const codec = new ObjectCodec()
      const cache = new WatchCache(prefix, codec)
      cache.reset([], 1)
      const matches = (object: KubernetesObject): boolean => pinned.valueOf(object) === value
      const pin = { field: pinned, value }
      const watches = [
        { ...everything, matches, pin },
        { ...everything, matches },
      ].map((each) => cache.watch(each))
      for (const [index, { name: changed, label, remove }] of steps.entries()) {
        const bytes = remove ? undefined : codec.encode(thing(changed, label))
        cache.change({ key: `${prefix}n/${changed}`, revision: index + 2, ...(bytes && { value: bytes }) })
        const [few, all] = [cache.candidates(`${prefix}n/`, pin), cache.range(`${prefix}n/`)]
        const select = (stored: readonly StoredObject[]): readonly StoredObject[] =>
          stored.filter(({ object }) => matches(object))
        assert.deepEqual(select(few), select(all))
      }
      const [one, other] = await Promise.all(
        watches.map(async (watch) => {
          watch.push({ type: 'BOOKMARK', object: {} } as never)
          return watch.takeAll()
        }),
      )
      assert.deepEqual(one, other)
    }),
  )
})

test('keys stay sorted under any changes', () => {
  const key = fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom('a', 'b', '/') })
  const step = fc.record({ key, remove: fc.boolean(), read: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step), key, (steps, wanted) => {
      const sorted = new SortedByKey<{ readonly key: string }>()
      const model = new Set<string>()
      for (const { key: name, remove, read } of steps) {
        if (read) sorted.range('')
        if (remove) sorted.delete(name)
        else sorted.set({ key: name })
        if (remove) model.delete(name)
        else model.add(name)
      }
      const expected = [...model].filter((name) => name.startsWith(wanted)).sort()
      assert.deepEqual(
        sorted.range(wanted).map((item) => item.key),
        expected,
      )
    }),
  )
})
