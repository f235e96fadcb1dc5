/**
 * Goal: what conformance promises of files that tell a pod about itself, in volumes of their own and in projected ones.
 * Method: one cluster; pods print their files, or end when they see a change.
 */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { parseQuantity } from '#api/meta/quantity.ts'
import { configMaps, nodes, pods, secrets } from '#api/types/resources.ts'
import type { DownwardAPIVolumeFile, ResourceRequirements, Volume } from '#api/types/core.v1.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import type { TestPod } from './harness/test-space.ts'

const shared = sharedCluster()

interface Style {
  readonly area: string
  readonly isProjected: boolean
}

const own: Style = { area: 'common/storage/downwardapi_volume', isProjected: false }
const projected: Style = { area: 'common/storage/projected_downwardapi', isProjected: true }

function volumeOf({ isProjected }: Style, items: readonly DownwardAPIVolumeFile[], defaultMode?: number): Volume {
  const mode = defaultMode === undefined ? {} : { defaultMode }
  if (isProjected) return { name: 'v', projected: { sources: [{ downwardAPI: { items } }], ...mode } }
  return { name: 'v', downwardAPI: { items, ...mode } }
}

const volumeMounts = [{ name: 'v', mountPath: '/v' }]
const nameFile = { path: 'podname', fieldRef: { fieldPath: 'metadata.name' } }

const resources: ResourceRequirements = {
  limits: { cpu: '1250m', memory: '64Mi' },
  requests: { cpu: '250m', memory: '32Mi' },
}

const amounts = [
  { style: own, title: "Downward API volume should provide container's cpu limit", of: 'limits.cpu', is: '2' },
  {
    style: own,
    title: "Downward API volume should provide container's memory limit",
    of: 'limits.memory',
    is: '67108864',
  },
  { style: own, title: "Downward API volume should provide container's cpu request", of: 'requests.cpu', is: '1' },
  {
    style: own,
    title: "Downward API volume should provide container's memory request",
    of: 'requests.memory',
    is: '33554432',
  },
  { style: projected, title: "Projected downwardAPI should provide container's cpu limit", of: 'limits.cpu', is: '2' },
  {
    style: projected,
    title: "Projected downwardAPI should provide container's memory limit",
    of: 'limits.memory',
    is: '67108864',
  },
  {
    style: projected,
    title: "Projected downwardAPI should provide container's cpu request",
    of: 'requests.cpu',
    is: '1',
  },
  {
    style: projected,
    title: "Projected downwardAPI should provide container's memory request",
    of: 'requests.memory',
    is: '33554432',
  },
] as const

const allocatable = [
  {
    style: own,
    title: 'Downward API volume should provide node allocatable (cpu) as default cpu limit if the limit is not set',
    of: 'cpu',
  },
  {
    style: own,
    title:
      'Downward API volume should provide node allocatable (memory) as default memory limit if the limit is not set',
    of: 'memory',
  },
  {
    style: projected,
    title: 'Projected downwardAPI should provide node allocatable (cpu) as default cpu limit if the limit is not set',
    of: 'cpu',
  },
  {
    style: projected,
    title:
      'Projected downwardAPI should provide node allocatable (memory) as default memory limit if the limit is not set',
    of: 'memory',
  },
] as const

const names = [
  { style: own, title: 'Downward API volume should provide podname only', mode: '644' },
  { style: own, title: 'Downward API volume should set DefaultMode on files', defaultMode: 0o400, mode: '400' },
  { style: own, title: 'Downward API volume should set mode on item file', itemMode: 0o400, mode: '400' },
  { style: projected, title: 'Projected downwardAPI should provide podname only', mode: '644' },
  { style: projected, title: 'Projected downwardAPI should set DefaultMode on files', defaultMode: 0o400, mode: '400' },
  { style: projected, title: 'Projected downwardAPI should set mode on item file', itemMode: 0o400, mode: '400' },
] as const

const updates = [
  { style: own, title: 'Downward API volume should update labels on modification', of: 'labels' },
  { style: own, title: 'Downward API volume should update annotations on modification', of: 'annotations' },
  { style: projected, title: 'Projected downwardAPI should update labels on modification', of: 'labels' },
  { style: projected, title: 'Projected downwardAPI should update annotations on modification', of: 'annotations' },
] as const

/** Prints what there is, says that it has, and ends when it sees what it waits for. */
function waitingPod(condition: string, volume: Volume): TestPod {
  const script = `cat /v/file; echo; touch /tmp/ready; until ${condition}; do sleep 0.1; done; echo seen`
  const readinessProbe = { exec: { command: ['test', '-f', '/tmp/ready'] }, periodSeconds: 1 }
  return { script, container: { volumeMounts, readinessProbe }, spec: { volumes: [volume] } }
}

describe('files about the pod', { skip, concurrency: 6 }, () => {
  for (const { style, title, of: resource, is } of amounts) {
    behaviour(style.area, title, async (t) => {
      const volume = volumeOf(style, [{ path: 'file', resourceFieldRef: { containerName: 'main', resource } }])
      const container = { volumeMounts, resources }
      const space = await shared.space(t)
      assert.equal(await space.output({ script: 'cat /v/file', container, spec: { volumes: [volume] } }), is)
    })
  }

  for (const { style, title, of } of allocatable) {
    behaviour(style.area, title, async (t) => {
      const [node] = (await shared.client.resource(nodes).list()).items
      const { nanos } = parseQuantity(node?.status?.allocatable?.[of] ?? '0')
      const resourceFieldRef = { containerName: 'main', resource: `limits.${of}` }
      const volume = volumeOf(style, [{ path: 'file', resourceFieldRef }])
      const space = await shared.space(t)
      const log = await space.output({
        script: 'cat /v/file',
        container: { volumeMounts },
        spec: { volumes: [volume] },
      })
      assert.equal(log, String((nanos + 999_999_999n) / 1_000_000_000n))
    })
  }

  for (const { style, title, mode, ...asked } of names) {
    behaviour(style.area, title, async (t) => {
      const item = { ...nameFile, ...('itemMode' in asked && { mode: asked.itemMode }) }
      const volume = volumeOf(style, [item], 'defaultMode' in asked ? asked.defaultMode : undefined)
      const script = 'cat /v/podname; stat -L -c " %a" /v/podname'
      const space = await shared.space(t)
      const log = await space.output({
        name: 'named',
        script,
        container: { volumeMounts },
        spec: { volumes: [volume] },
      })
      assert.equal(log, `named ${mode}\n`)
    })
  }

  for (const { style, title, of } of updates) {
    behaviour(style.area, title, async (t) => {
      const space = await shared.space(t)
      const volume = volumeOf(style, [{ path: 'file', fieldRef: { fieldPath: `metadata.${of}` } }])
      await space.start({ ...waitingPod(`grep -q 'two="2"' /v/file`, volume), [of]: { one: '1' } })
      await space.of(pods).patch('pod', { type: 'merge', patch: { metadata: { [of]: { two: '2' } } } })
      await space.waitFor(pods, 'pod', ({ status }) => status?.phase === 'Succeeded')
      assert.match(await space.log('pod'), /one="1"[^]*\nseen\n$/)
    })
  }

  behaviour(
    'common/storage/projected_combined',
    'Projected combined should project all components that make up the projection API',
    async (t) => {
      const space = await shared.space(t)
      await space.of(configMaps).create({ metadata: { name: 'map' }, data: { 'configmap-data': 'from-map' } })
      const data = { 'secret-data': Buffer.from('from-secret').toString('base64') }
      await space.of(secrets).create({ metadata: { name: 'secret' }, data })
      const sources = [
        { secret: { name: 'secret' } },
        { configMap: { name: 'map' } },
        { downwardAPI: { items: [nameFile] } },
        { serviceAccountToken: { path: 'token', expirationSeconds: 600 } },
      ]
      const log = await space.output({
        script: 'cd /v; for f in podname secret-data configmap-data; do cat $f; echo; done; cut -c 1-3 token',
        container: { volumeMounts },
        spec: { volumes: [{ name: 'v', projected: { sources } }] },
      })
      assert.equal(log, 'pod\nfrom-secret\nfrom-map\neyJ\n')
    },
  )
})
