/**
 * Goal: every built-in resource of every served group can be created, read, listed, watched, updated, patched and deleted.
 * Method: the real API server in one process, each resource in turn with the least valid object of its kind.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { samples } from '#api/kind-samples.case.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { builtInCatalog } from '#api/schema/catalog.ts'
import { testServer, type TestServer } from '#apiserver/server.case.ts'

let server: TestServer

before(async () => {
  server = await testServer()
  for (const name of ['default', 'ns']) await server.call('POST /api/v1/namespaces', { body: { metadata: { name } } })
})

after(() => server.close())

const needed = ['create', 'get', 'list', 'watch', 'update', 'patch', 'delete']

for (const row of builtInCatalog().resources) {
  const { group, version, plural, kind, namespaced } = row
  if (!needed.every((verb) => row.verbs.has(verb))) continue
  test(`${plural} of ${group || 'core'}/${version} live a whole life`, async () => {
    const sample = (samples[kind] ?? {}) as Partial<KubernetesObject>
    const name = sample.metadata?.name ?? 'least'
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    const collection = namespaced ? `${root}/namespaces/ns/${plural}` : `${root}/${plural}`
    const watch = await server.watch(collection)
    const expect = async (line: string, code: number, call = {}): Promise<KubernetesObject> => {
      const answer = await server.call(line, call)
      assert.equal(answer.code, code, `${line}: ${answer.text}`)
      return answer.object
    }
    const made = await expect(`POST ${collection}`, 201, {
      body: { ...sample, metadata: { ...sample.metadata, name } },
    })
    assert.equal(made.kind, kind)
    const read = await expect(`GET ${collection}/${name}`, 200)
    assert.equal(read.metadata.uid, made.metadata.uid)
    const list = (await expect(`GET ${collection}`, 200)) as KubernetesObject & { items: readonly KubernetesObject[] }
    assert.ok(list.items.some(({ metadata }) => metadata.uid === made.metadata.uid))
    const labels = { ...read.metadata.labels, touched: 'yes' }
    const updated = await expect(`PUT ${collection}/${name}`, 200, {
      body: { ...read, metadata: { ...read.metadata, labels } },
    })
    assert.deepEqual(updated.metadata.labels, labels)
    for (const type of ['merge-patch', 'strategic-merge-patch']) {
      const headers = { 'content-type': `application/${type}+json` }
      const body = { metadata: { labels: { [type]: 'yes' } } }
      const patched = await expect(`PATCH ${collection}/${name}`, 200, { body, headers })
      assert.equal(patched.metadata.labels?.[type], 'yes')
    }
    const headers = { 'content-type': 'application/json-patch+json' }
    const body = [{ op: 'remove', path: '/metadata/labels/touched' }]
    assert.equal(
      (await expect(`PATCH ${collection}/${name}`, 200, { body, headers })).metadata.labels?.['touched'],
      undefined,
    )
    await expect(`DELETE ${collection}/${name}`, 200)
    const seen = await watch.take(5)
    assert.match(seen[0] ?? '', /^ADDED/)
    watch.stop()
  })
}
