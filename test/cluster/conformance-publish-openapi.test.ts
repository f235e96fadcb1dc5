/**
 * Goal: what a CustomResourceDefinition says of its resources reaches the tools of its users. Method: the API server on
 * loopback and the real kubectl, which validates and explains by the published documents.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import type { CustomResourceDefinition } from '#api/types/apiextensions.v1.ts'
import { customResourceDefinitions } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { seededRandom } from '#lib/random.ts'
import { startControlPlane, type ControlPlane } from '#main/control-plane.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { bindKubectl, type Kubectl } from './harness/kubectl.ts'

const area = 'apimachinery/crd_publish_openapi'
const home = mkdtempSync(join(tmpdir(), 'coracle-publish-'))
let controlPlane: ControlPlane
let client: Client
let kubectl: Kubectl

before(async () => {
  const effects = { clock: systemClock, random: seededRandom(1), log: silentLog }
  const place = { bindAddress: '127.0.0.1', port: 0, advertiseAddress: '127.0.0.1' }
  controlPlane = await startControlPlane({ dataDir: home, storage: 'memory', ...place }, effects)
  client = controlPlane.clientAs({ name: 'admin', groups: ['system:masters'] })
  const kubeconfig = join(home, 'kubeconfig')
  writeFileSync(kubeconfig, JSON.stringify(adminConfig()))
  kubectl = await bindKubectl(kubeconfig, home)
})

after(async () => {
  await controlPlane.close()
  rmSync(home, { recursive: true })
})

function adminConfig(): object {
  const { ca, admin } = controlPlane.pki
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const cluster = {
    server: `https://127.0.0.1:${controlPlane.port}`,
    'certificate-authority-data': base64(ca.certificate),
  }
  const user = { 'client-certificate-data': base64(admin.certificate), 'client-key-data': base64(admin.key) }
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'default' } }],
    'current-context': 'x',
  }
}

interface Wanted {
  readonly group: string
  readonly kind: string
  readonly versions: readonly string[]
  readonly schema?: object
}

const free = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

async function define({ group, kind, versions, schema = free }: Wanted): Promise<CustomResourceDefinition> {
  const plural = `${kind.toLowerCase()}s`
  const rows = versions.map((name, index) => ({
    name,
    served: true,
    storage: index === 0,
    schema: { openAPIV3Schema: schema },
  }))
  const spec = { group, scope: 'Namespaced', names: { plural, kind }, versions: rows }
  const made = await client
    .resource(customResourceDefinitions)
    .create({ metadata: { name: `${plural}.${group}` }, spec } as never)
  await kubectl.output('wait', '--for=condition=Established', `crd/${plural}.${group}`, '--timeout=30s')
  return made
}

interface OpenApi {
  readonly definitions: Readonly<Record<string, object>>
}

async function published(): Promise<ReadonlySet<string>> {
  const document = JSON.parse(await kubectl.output('get', '--raw', '/openapi/v2')) as OpenApi
  return new Set(Object.keys(document.definitions))
}

const typeName = (group: string, version: string, kind: string): string =>
  `${group.split('.').toReversed().join('.')}.${version}.${kind}`

async function apply(group: string, kind: string, name: string, more: object): Promise<string> {
  const object = { apiVersion: `${group}/v1`, kind, metadata: { name }, ...more }
  const { code, stderr, stdout } = await kubectl.run(['apply', '-f', '-'], { input: JSON.stringify(object) })
  return code === 0 ? stdout : stderr
}

const validated = {
  type: 'object',
  description: 'Foo CRD for Testing',
  properties: {
    spec: {
      type: 'object',
      description: 'Specification of Foo',
      properties: {
        bars: {
          type: 'array',
          description: 'List of Bars and their specs.',
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { type: 'string', description: 'Name of Bar.' },
              age: { type: 'string', description: 'Age of Bar.' },
            },
          },
        },
      },
    },
  },
}

behaviour(area, 'CustomResourcePublishOpenAPI works for CRD with validation schema', async () => {
  const group = 'valid.example.com'
  await define({ group, kind: 'Foo', versions: ['v1'], schema: validated })
  assert.match(await apply(group, 'Foo', 'good', { spec: { bars: [{ name: 'test-bar', age: '10' }] } }), /created/)
  assert.match(await apply(group, 'Foo', 'bad', { spec: { foo: true } }), /unknown field "spec.foo"/)
  assert.match(await apply(group, 'Foo', 'bad', { spec: { bars: [{ age: '10' }] } }), /name: Required value/)
  assert.match(await kubectl.output('explain', 'foos'), /DESCRIPTION:\s+Foo CRD for Testing/)
  assert.match(await kubectl.output('explain', 'foos.spec'), /DESCRIPTION:\s+Specification of Foo/)
  assert.match(
    await kubectl.output('explain', 'foos.spec.bars'),
    /List of Bars and their specs\.[\s\S]*name\s+<string> -required-/,
  )
  assert.match((await kubectl.run(['explain', 'foos.spec.bars2'])).stderr, /field "bars2" does not exist/)
})

behaviour(area, 'CustomResourcePublishOpenAPI works for CRD without validation schema', async () => {
  const group = 'loose.example.com'
  await define({ group, kind: 'Loose', versions: ['v1'] })
  assert.match(await apply(group, 'Loose', 'a', { any: { a: 1 } }), /created/)
  assert.match(await kubectl.output('explain', 'looses'), /KIND:\s+Loose[\s\S]*DESCRIPTION:\s+<empty>/)
})

behaviour(area, 'CustomResourcePublishOpenAPI works for CRD preserving unknown fields at the schema root', async () => {
  const group = 'root.example.com'
  await define({ group, kind: 'Open', versions: ['v1'], schema: { ...free, properties: { spec: { type: 'object' } } } })
  assert.match(await apply(group, 'Open', 'a', { any: 1 }), /created/)
  assert.match(await kubectl.output('explain', 'opens'), /KIND:\s+Open/)
})

behaviour(
  area,
  'CustomResourcePublishOpenAPI works for CRD preserving unknown fields in an embedded object',
  async () => {
    const group = 'embedded.example.com'
    const schema = {
      type: 'object',
      properties: { spec: { ...free, description: 'Specification of Waldo' }, status: { type: 'object' } },
    }
    await define({ group, kind: 'Waldo', versions: ['v1'], schema })
    assert.match(await apply(group, 'Waldo', 'a', { spec: { b: [{ c: 'd' }] } }), /created/)
    assert.match(await kubectl.output('explain', 'waldos.spec'), /DESCRIPTION:\s+Specification of Waldo/)
  },
)

behaviour(area, 'CustomResourcePublishOpenAPI works for multiple CRDs of different groups', async () => {
  await define({ group: 'one.example.com', kind: 'Multi', versions: ['v1'] })
  await define({ group: 'two.example.com', kind: 'Multi', versions: ['v1'] })
  const names = await published()
  for (const group of ['one.example.com', 'two.example.com']) assert.ok(names.has(typeName(group, 'v1', 'Multi')))
})

behaviour(
  area,
  'CustomResourcePublishOpenAPI works for multiple CRDs of same group and version but different kinds',
  async () => {
    for (const kind of ['Early', 'Late']) await define({ group: 'kinds.example.com', kind, versions: ['v1'] })
    const names = await published()
    for (const kind of ['Early', 'Late']) assert.ok(names.has(typeName('kinds.example.com', 'v1', kind)))
  },
)

behaviour(
  area,
  'CustomResourcePublishOpenAPI works for multiple CRDs of same group but different versions',
  async () => {
    await define({ group: 'versions.example.com', kind: 'Old', versions: ['v1', 'v2'] })
    await define({ group: 'versions.example.com', kind: 'New', versions: ['v3'] })
    const names = await published()
    for (const [kind, version] of [
      ['Old', 'v1'],
      ['Old', 'v2'],
      ['New', 'v3'],
    ] as const) {
      assert.ok(names.has(typeName('versions.example.com', version, kind)))
    }
  },
)

async function change(name: string, operations: object[]): Promise<void> {
  await kubectl.output('patch', 'crd', name, '--type=json', '-p', JSON.stringify(operations))
}

behaviour(
  area,
  'CustomResourcePublishOpenAPI removes definition from spec when one version gets changed to not be served',
  async () => {
    const group = 'unserved.example.com'
    await define({ group, kind: 'Half', versions: ['v1', 'v2'] })
    assert.ok((await published()).has(typeName(group, 'v2', 'Half')))
    await change(`halfs.${group}`, [{ op: 'replace', path: '/spec/versions/1/served', value: false }])
    const names = await published()
    assert.deepEqual(
      [names.has(typeName(group, 'v1', 'Half')), names.has(typeName(group, 'v2', 'Half'))],
      [true, false],
    )
  },
)

behaviour(area, 'CustomResourcePublishOpenAPI updates the published spec when one version gets renamed', async () => {
  const group = 'renamed.example.com'
  await define({ group, kind: 'Moved', versions: ['v2', 'v3'] })
  await change(`moveds.${group}`, [{ op: 'replace', path: '/spec/versions/1/name', value: 'v4' }])
  const names = await published()
  const has = (version: string): boolean => names.has(typeName(group, version, 'Moved'))
  assert.deepEqual([has('v2'), has('v3'), has('v4')], [true, false, true])
})
