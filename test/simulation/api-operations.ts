import assert from 'node:assert/strict'
import type { Resource } from '#api/meta/resource.ts'
import { testServer, type TestAnswer, type TestCall, type TestObject, type TestServer } from '#apiserver/server.case.ts'
import { resourcePath } from '#client/resource-path.ts'

/** A kind whose API is to be shown, and how it is used. */
export interface ShownKind {
  readonly resource: Resource
  /** What is created under a name, metadata left out. */
  readonly make: (name: string) => object
  /** Three names that the kind takes. */
  readonly names?: readonly [string, string, string]
  /** Subresources that are read, patched and updated, with a patch and how it shows in the object. */
  readonly parts?: readonly ShownPart[]
}

export interface ShownPart {
  readonly name: string
  readonly patch: object
  readonly shows: (object: TestObject) => boolean
}

const namespace = 'shown'
const label = 'made=here'
const merge = { 'content-type': 'application/merge-patch+json' }
const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

/**
 * Shows that a kind is found through discovery and can be created, read, listed, watched, patched, updated and deleted,
 * alone and together, and that its subresources work; throws an assertion where it is not so.
 */
export async function showOperations(kind: ShownKind): Promise<void> {
  const server = await testServer()
  try {
    await send(server, 'POST /api/v1/namespaces', { body: { metadata: { name: namespace } } })
    await showDiscovery(server, kind)
    await showVerbs(server, kind)
  } finally {
    await server.close()
  }
}

async function send(server: TestServer, line: string, call?: TestCall): Promise<TestObject> {
  return assertDone(await server.call(line, call), line)
}

function assertDone({ code, object }: TestAnswer, line: string): TestObject {
  assert.ok(code < 300, `${line}: ${object.message}`)
  return object
}

interface Discovered {
  readonly groups: readonly { readonly name: string; readonly versions: readonly { readonly version: string }[] }[]
  readonly versions: readonly { readonly groupVersion: string }[]
  readonly resources: readonly { readonly name: string; readonly verbs: readonly string[] }[]
}

async function showDiscovery(server: TestServer, { resource, parts = [] }: ShownKind): Promise<void> {
  const { group, version, plural } = resource
  const read = async (path: string): Promise<Discovered> => (await send(server, `GET ${path}`)) as never
  const { groups } = await read('/apis')
  assert.ok(groups.find(({ name }) => name === group)?.versions.some((served) => served.version === version))
  const { versions } = await read(`/apis/${group}`)
  assert.ok(versions.some(({ groupVersion }) => groupVersion === `${group}/${version}`))
  const { resources } = await read(`/apis/${group}/${version}`)
  const verbsOf = (name: string): readonly string[] => resources.find((known) => known.name === name)?.verbs ?? []
  assert.deepEqual([...verbsOf(plural)].sort(), verbs)
  for (const { name } of parts) assert.deepEqual([...verbsOf(`${plural}/${name}`)].sort(), ['get', 'patch', 'update'])
}

async function showVerbs(server: TestServer, kind: ShownKind): Promise<void> {
  const { resource, make, names = ['a', 'b', 'c'] } = kind
  const [first, second] = names
  const path = (name?: string): string =>
    resourcePath(resource, { namespace: resource.namespaced ? namespace : undefined, name })
  const everywhere = resourcePath(resource, {})
  const watch = await server.watch(everywhere, `labelSelector=${label}`)
  for (const name of names) {
    const body = { metadata: { name, labels: { made: 'here' } }, ...make(name) }
    await send(server, `POST ${path()}`, { body })
  }
  assert.deepEqual(
    await watch.take(3),
    names.map((name) => `ADDED ${name}`),
  )
  const read = await send(server, `GET ${path(first)}`)
  assert.deepEqual([read.kind, read.metadata.name], [resource.kind, first])
  for (const list of [path(), everywhere]) {
    const { items } = await send(server, `GET ${list}`, { query: `labelSelector=${label}` })
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      [...names],
    )
  }
  const annotated = await showChanges(server, path(first))
  assert.deepEqual(await watch.take(2), [`MODIFIED ${first}`, `MODIFIED ${first}`])
  assert.deepEqual(annotated.metadata.annotations, { patched: 'yes', updated: 'yes' })
  for (const part of kind.parts ?? []) {
    await showPart(server, path(first), part)
    assert.deepEqual(await watch.take(2), [`MODIFIED ${first}`, `MODIFIED ${first}`])
  }
  await send(server, `DELETE ${path(second)}`)
  assert.deepEqual(await watch.take(1), [`DELETED ${second}`])
  assert.equal((await server.call(`GET ${path(second)}`)).code, 404)
  await send(server, `DELETE ${path()}`, { query: `labelSelector=${label}` })
  const { items } = await send(server, `GET ${everywhere}`, { query: `labelSelector=${label}` })
  assert.deepEqual(items, [])
  watch.stop()
}

async function showChanges(server: TestServer, path: string): Promise<TestObject> {
  const patch = { metadata: { annotations: { patched: 'yes' } } }
  const patched = await send(server, `PATCH ${path}`, { body: patch, headers: merge })
  const annotations = { ...patched.metadata.annotations, updated: 'yes' }
  await send(server, `PUT ${path}`, { body: { ...patched, metadata: { ...patched.metadata, annotations } } })
  return send(server, `GET ${path}`)
}

/** Reads, patches and updates a subresource; what it writes shows in the object. */
async function showPart(server: TestServer, path: string, { name, patch, shows }: ShownPart): Promise<void> {
  const { metadata } = await send(server, `GET ${path}/${name}`)
  assert.ok(metadata.uid)
  const patched = await send(server, `PATCH ${path}/${name}`, { body: patch, headers: merge })
  assert.ok(shows(patched), `${name} shows what was patched: ${JSON.stringify(patched.status)}`)
  const annotations = { ...patched.metadata.annotations, [`${name}-updated`]: 'yes' }
  const body = { ...patched, metadata: { ...patched.metadata, annotations } }
  const updated = await send(server, `PUT ${path}/${name}`, { body: withOther(body) })
  assert.notEqual(updated.metadata.resourceVersion, patched.metadata.resourceVersion)
}

/** The object with another message in the first condition of its status, or with an address of its load balancer more. */
function withOther(object: TestObject): object {
  const status = structuredClone(object.status) as {
    conditions?: { message?: string }[]
    loadBalancer?: { ingress?: object[] }
  }
  const [condition] = status.conditions ?? []
  if (condition) condition.message = 'updated'
  status.loadBalancer?.ingress?.push({ ip: '192.0.2.2' })
  return { ...object, status }
}
