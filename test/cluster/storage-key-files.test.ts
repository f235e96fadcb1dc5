/**
 * Goal: what conformance promises of the files that ConfigMaps and Secrets become, in volumes of their own and in
 * projected ones. Method: one cluster; pods print the files and their modes, or end when they see a change.
 */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { configMaps, pods, secrets } from '#api/types/resources.ts'
import type { KeyToPath, Volume } from '#api/types/core.v1.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { type TestPod, type TestSpace } from './harness/test-space.ts'

const shared = sharedCluster()

type Kind = 'configMap' | 'secret'
interface Style {
  readonly area: string
  readonly kind: Kind
  readonly isProjected?: boolean
}

const configMap: Style = { area: 'common/storage/configmap_volume', kind: 'configMap' }
const secret: Style = { area: 'common/storage/secrets_volume', kind: 'secret' }
const projectedMap: Style = { area: 'common/storage/projected_configmap', kind: 'configMap', isProjected: true }
const projectedSecret: Style = { area: 'common/storage/projected_secret', kind: 'secret', isProjected: true }

interface FileCase {
  readonly style: Style
  readonly title: string
  readonly defaultMode?: number
  readonly itemMode?: number
  readonly isMapped?: boolean
  readonly user?: number
  readonly fsGroup?: number
  /** Default 644. */
  readonly mode?: string
}

const cases: readonly FileCase[] = [
  { style: configMap, title: 'ConfigMap should be consumable from pods in volume' },
  { style: configMap, title: 'ConfigMap should be consumable from pods in volume as non-root', user: 1000 },
  {
    style: configMap,
    title: 'ConfigMap should be consumable from pods in volume with defaultMode set',
    defaultMode: 0o400,
    mode: '400',
  },
  { style: configMap, title: 'ConfigMap should be consumable from pods in volume with mappings', isMapped: true },
  {
    style: configMap,
    title: 'ConfigMap should be consumable from pods in volume with mappings and Item mode set',
    itemMode: 0o400,
    mode: '400',
  },
  {
    style: configMap,
    title: 'ConfigMap should be consumable from pods in volume with mappings as non-root',
    isMapped: true,
    user: 1000,
  },
  { style: secret, title: 'Secrets should be consumable from pods in volume' },
  {
    style: secret,
    title: 'Secrets should be consumable from pods in volume as non-root with defaultMode and fsGroup set',
    defaultMode: 0o440,
    user: 1000,
    fsGroup: 1001,
    mode: '440',
  },
  {
    style: secret,
    title: 'Secrets should be consumable from pods in volume with defaultMode set',
    defaultMode: 0o400,
    mode: '400',
  },
  { style: secret, title: 'Secrets should be consumable from pods in volume with mappings', isMapped: true },
  {
    style: secret,
    title: 'Secrets should be consumable from pods in volume with mappings and Item Mode set',
    itemMode: 0o400,
    mode: '400',
  },
  { style: projectedMap, title: 'Projected configMap should be consumable from pods in volume' },
  {
    style: projectedMap,
    title: 'Projected configMap should be consumable from pods in volume as non-root',
    user: 1000,
  },
  {
    style: projectedMap,
    title: 'Projected configMap should be consumable from pods in volume with defaultMode set',
    defaultMode: 0o400,
    mode: '400',
  },
  {
    style: projectedMap,
    title: 'Projected configMap should be consumable from pods in volume with mappings',
    isMapped: true,
  },
  {
    style: projectedMap,
    title: 'Projected configMap should be consumable from pods in volume with mappings and Item mode set',
    itemMode: 0o400,
    mode: '400',
  },
  {
    style: projectedMap,
    title: 'Projected configMap should be consumable from pods in volume with mappings as non-root',
    isMapped: true,
    user: 1000,
  },
  { style: projectedSecret, title: 'Projected secret should be consumable from pods in volume' },
  {
    style: projectedSecret,
    title: 'Projected secret should be consumable from pods in volume as non-root with defaultMode and fsGroup set',
    defaultMode: 0o440,
    user: 1000,
    fsGroup: 1001,
    mode: '440',
  },
  {
    style: projectedSecret,
    title: 'Projected secret should be consumable from pods in volume with defaultMode set',
    defaultMode: 0o400,
    mode: '400',
  },
  {
    style: projectedSecret,
    title: 'Projected secret should be consumable from pods in volume with mappings',
    isMapped: true,
  },
  {
    style: projectedSecret,
    title: 'Projected secret should be consumable from pods in volume with mappings and Item Mode set',
    itemMode: 0o400,
    mode: '400',
  },
]

const twice = [
  { style: configMap, title: 'ConfigMap should be consumable in multiple volumes in the same pod' },
  { style: secret, title: 'Secrets should be consumable in multiple volumes in a pod' },
  { style: projectedMap, title: 'Projected configMap should be consumable in multiple volumes in the same pod' },
  { style: projectedSecret, title: 'Projected secret should be consumable in multiple volumes in a pod' },
] as const

const updates = [
  { style: configMap, title: 'ConfigMap updates should be reflected in volume' },
  { style: projectedMap, title: 'Projected configMap updates should be reflected in volume' },
] as const

const optionalUpdates = [
  { style: configMap, title: 'ConfigMap optional updates should be reflected in volume' },
  { style: secret, title: 'Secrets optional updates should be reflected in volume' },
  { style: projectedMap, title: 'Projected configMap optional updates should be reflected in volume' },
  { style: projectedSecret, title: 'Projected secret optional updates should be reflected in volume' },
] as const

const immutables = [
  { style: configMap, title: 'ConfigMap should be immutable if `immutable` field is set' },
  { style: secret, title: 'Secrets should be immutable if `immutable` field is set' },
] as const

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** Makes the object, or gives it other data. */
async function put(space: TestSpace, kind: Kind, name: string, data: Readonly<Record<string, string>>): Promise<void> {
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)]))
  const manifest = kind === 'secret' ? { kind: 'Secret', data: encoded } : { kind: 'ConfigMap', data }
  const applied = { apiVersion: 'v1', metadata: { name }, ...manifest }
  const options = { fieldManager: 'test', force: true }
  if (kind === 'secret') await space.of(secrets).apply(applied as never, options)
  else await space.of(configMaps).apply(applied as never, options)
}

interface VolumeShape {
  readonly name: string
  readonly source?: string
  readonly items?: readonly KeyToPath[] | undefined
  readonly optional?: boolean
  readonly defaultMode?: number | undefined
}

function volumeOf({ kind, isProjected }: Style, shape: VolumeShape): Volume {
  const { name, source = 'source', items, optional, defaultMode } = shape
  const asked = { ...(items && { items }), ...(optional !== undefined && { optional }) }
  const mode = defaultMode === undefined ? {} : { defaultMode }
  if (isProjected === true) return { name, projected: { ...mode, sources: [{ [kind]: { name: source, ...asked } }] } }
  const named = kind === 'secret' ? { secretName: source } : { name: source }
  return { name, [kind]: { ...named, ...asked, ...mode } }
}

const mountsOf = (volumes: readonly Volume[]) => volumes.map(({ name }) => ({ name, mountPath: `/${name}` }))

/** A pod that says when it has looked at what there was, and ends when it sees what it waits for. */
function waitingPod(first: string, condition: string, volumes: readonly Volume[]): TestPod {
  const script = `${first}; touch /tmp/ready; until ${condition}; do sleep 0.1; done; echo seen`
  const readinessProbe = { exec: { command: ['test', '-f', '/tmp/ready'] }, periodSeconds: 1 }
  return { script, container: { volumeMounts: mountsOf(volumes), readinessProbe }, spec: { volumes } }
}

async function endOf(space: TestSpace): Promise<string> {
  await space.waitFor(pods, 'pod', ({ status }) => status?.phase === 'Succeeded')
  return space.log('pod')
}

describe('files of ConfigMaps and Secrets', { skip, concurrency: 6 }, () => {
  for (const { style, title, isMapped, itemMode, defaultMode, user, fsGroup, mode = '644' } of cases) {
    behaviour(style.area, title, async (t) => {
      const space = await shared.space(t)
      await put(space, style.kind, 'source', { 'data-1': 'value-1', 'data-2': 'value-2' })
      const path = isMapped === true || itemMode !== undefined ? 'path/to/data-2' : 'data-2'
      const item = { key: 'data-2', path, ...(itemMode !== undefined && { mode: itemMode }) }
      const volumes = [volumeOf(style, { name: 'v', items: path === 'data-2' ? undefined : [item], defaultMode })]
      const securityContext = { ...(user && { runAsUser: user }), ...(fsGroup && { fsGroup }) }
      const script = `cat /v/${path}; echo; stat -L -c %a /v/${path}; ls /v`
      const log = await space.output({
        script,
        container: { volumeMounts: mountsOf(volumes) },
        spec: { volumes, securityContext },
      })
      const listed = path === 'data-2' ? 'data-1\ndata-2' : 'path'
      assert.equal(log, `value-2\n${mode}\n${listed}\n`)
    })
  }

  for (const { style, title } of twice) {
    behaviour(style.area, title, async (t) => {
      const space = await shared.space(t)
      await put(space, style.kind, 'source', { data: 'value' })
      const volumes = ['one', 'two'].map((name) => volumeOf(style, { name }))
      const container = { volumeMounts: mountsOf(volumes) }
      assert.equal(
        await space.output({ script: 'cat /one/data /two/data', container, spec: { volumes } }),
        'valuevalue',
      )
    })
  }

  behaviour(
    secret.area,
    'Secrets should be able to mount in a volume regardless of a different secret existing with same name in different namespace',
    async (t) => {
      const [other, space] = await Promise.all([shared.space(t), shared.space(t)])
      await put(other, 'secret', 'source', { data: 'theirs' })
      await put(space, 'secret', 'source', { data: 'ours' })
      const volumes = [volumeOf(secret, { name: 'v' })]
      const script = 'cat /v/data; stat -L -c " %a" /v/data'
      assert.equal(
        await space.output({ script, container: { volumeMounts: mountsOf(volumes) }, spec: { volumes } }),
        'ours 644\n',
      )
    },
  )

  behaviour(configMap.area, 'ConfigMap binary data should be reflected in volume', async (t) => {
    const space = await shared.space(t)
    const bytes = Buffer.from([0xde, 0xca, 0xfe, 0xba, 0xd0, 0xfe, 0xff])
    const metadata = { name: 'source' }
    await space
      .of(configMaps)
      .create({ metadata, data: { text: 'plain' }, binaryData: { dump: bytes.toString('base64') } })
    const volumes = [volumeOf(configMap, { name: 'v' })]
    const container = { volumeMounts: mountsOf(volumes) }
    const log = await space.output({ script: 'cat /v/text; echo; base64 /v/dump', container, spec: { volumes } })
    assert.equal(log, `plain\n${bytes.toString('base64')}\n`)
  })
})

describe('changes of ConfigMaps and Secrets', { skip, concurrency: 6 }, () => {
  for (const { style, title } of updates) {
    behaviour(style.area, title, async (t) => {
      const space = await shared.space(t)
      await put(space, style.kind, 'source', { data: 'value-1' })
      const volumes = [volumeOf(style, { name: 'v' })]
      await space.start(waitingPod('cat /v/data; echo', '[ "$(cat /v/data)" = value-2 ]', volumes))
      await put(space, style.kind, 'source', { data: 'value-2' })
      assert.equal(await endOf(space), 'value-1\nseen\n')
    })
  }

  for (const { style, title } of optionalUpdates) {
    behaviour(style.area, title, async (t) => {
      const space = await shared.space(t)
      await put(space, style.kind, 'delete', { data: 'value-1' })
      await put(space, style.kind, 'update', { data: 'value-1' })
      const volumes = ['create', 'update', 'delete'].map((name) =>
        volumeOf(style, { name, source: name, optional: true }),
      )
      const condition =
        '[ "$(cat /create/data)" = value-1 ] && [ "$(cat /update/data)" = value-3 ] && [ ! -e /delete/data ]'
      const pod = waitingPod('cat /create/data /update/data /delete/data; echo', `${condition} 2>&1`, volumes)
      await space.start(pod)
      if (style.kind === 'secret') await space.of(secrets).delete('delete')
      else await space.of(configMaps).delete('delete')
      await put(space, style.kind, 'update', { data: 'value-3' })
      await put(space, style.kind, 'create', { data: 'value-1' })
      const log = await endOf(space)
      // Two streams make one log: nothing says which of them comes first.
      assert.match(log, /\/create\/data.*No such file/)
      assert.match(log, /value-1value-1\n[^]*seen\n$/)
    })
  }

  for (const { style, title } of immutables) {
    behaviour(style.area, title, async (t) => {
      const space = await shared.space(t)
      const kind = style.kind === 'secret' ? 'secret' : 'configmap'
      const patch = async (body: object): Promise<string> => {
        const { code, stderr } = await space.runKubectl([
          'patch',
          kind,
          'source',
          '--type=merge',
          '-p',
          JSON.stringify(body),
        ])
        return code === 0 ? 'patched' : stderr
      }
      await put(space, style.kind, 'source', { data: 'one' })
      assert.equal(await patch({ data: { data: base64('two') } }), 'patched')
      assert.equal(await patch({ immutable: true }), 'patched')
      assert.match(
        await patch({ data: { data: base64('three') } }),
        /data: Forbidden: field is immutable when `immutable` is set/,
      )
      assert.match(
        await patch({ immutable: false }),
        /immutable: Forbidden: field is immutable when `immutable` is set/,
      )
      assert.equal(await patch({ metadata: { labels: { a: 'b' } } }), 'patched')
      await space.kubectl('delete', kind, 'source')
    })
  }
})
