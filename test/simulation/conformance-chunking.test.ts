/** Goal: long lists can be read in pieces. Method: the API server in this process with 200 pod templates. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { testServer, type TestAnswer, type TestServer } from '#apiserver/server.case.ts'
import { behaviour } from '../conformance/behaviour.ts'

const area = 'apimachinery/chunking'
const path = '/api/v1/namespaces/default/podtemplates'
const total = 200
const pageSize = 40
const allNames = Array.from({ length: total }, (_, index) => `template-${String(index).padStart(4, '0')}`)

async function cluster(t: TestContext): Promise<TestServer> {
  const server = await testServer()
  t.after(() => server.close())
  await server.call('POST /api/v1/namespaces', { body: { metadata: { name: 'default' } } })
  for (const name of allNames) await create(server, name)
  return server
}

async function create(server: TestServer, name: string): Promise<void> {
  const template = { spec: { containers: [{ name: 'c', image: 'image' }] } }
  const { code, object } = await server.call(`POST ${path}`, { body: { metadata: { name }, template } })
  assert.equal(code, 201, object.message)
}

interface Page {
  readonly code: number
  readonly names: readonly string[]
  readonly resourceVersion: string
  readonly token: string | undefined
  readonly remaining: number | undefined
}

function pageOf({ code, object }: TestAnswer): Page {
  const { resourceVersion, ...list } = object.metadata as { resourceVersion: string } & ListMeta
  const names = (object.items ?? []).map(({ metadata }) => metadata.name)
  return { code, names, resourceVersion, token: list.continue, remaining: list.remainingItemCount }
}

interface ListMeta {
  readonly continue?: string
  readonly remainingItemCount?: number
}

async function pageAfter(server: TestServer, token?: string, limit = pageSize): Promise<Page> {
  const query = new URLSearchParams({ limit: String(limit), ...(token !== undefined && { continue: token }) })
  const page = pageOf(await server.call(`GET ${path}`, { query: query.toString() }))
  assert.equal(page.code, 200)
  return page
}

/** Reads all pages after one; each says how much is left, and all are of one version. */
async function restOf(server: TestServer, first: Page): Promise<string[]> {
  const names = [...first.names]
  let page = first
  while (page.token !== undefined) {
    page = await pageAfter(server, page.token)
    assert.equal(page.resourceVersion, first.resourceVersion)
    assert.ok(page.names.length <= pageSize)
    names.push(...page.names)
    const left = total - names.length
    assert.equal(page.remaining, left === 0 ? undefined : left)
  }
  return names
}

behaviour(area, 'Servers with support for API chunking should return chunks of results for list calls', async (t) => {
  const server = await cluster(t)
  const first = await pageAfter(server)
  assert.equal(first.remaining, total - pageSize)
  assert.deepEqual(await restOf(server, first), allNames)
  const whole = pageOf(await server.call(`GET ${path}`))
  assert.deepEqual([whole.names, whole.token, whole.remaining], [allNames, undefined, undefined])
})

behaviour(
  area,
  'Servers with support for API chunking should support continue listing from the last key if the original version has been compacted away, though the list is inconsistent',
  async (t) => {
    const server = await cluster(t)
    const first = await pageAfter(server)
    await server.call(`DELETE ${path}/template-0199`)
    await create(server, 'template-0199')
    await server.store.compact(Number(first.resourceVersion) + 1)
    const query = new URLSearchParams({ limit: String(pageSize), continue: first.token ?? '' }).toString()
    const expired = await server.call(`GET ${path}`, { query })
    assert.deepEqual([expired.code, expired.object.reason], [410, 'Expired'])
    const { token } = pageOf(expired)
    assert.ok(token !== undefined && token !== '', 'a token to go on with, at the price of consistency')
    const second = await pageAfter(server, token)
    assert.equal(second.names[0], 'template-0040')
    assert.equal(second.remaining, total - 2 * pageSize)
    assert.notEqual(second.resourceVersion, first.resourceVersion)
    const rest = await restOf(server, { ...second, names: [...first.names, ...second.names] })
    assert.deepEqual(rest, allNames)
  },
)
