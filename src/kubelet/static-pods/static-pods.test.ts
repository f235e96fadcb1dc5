import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import { manualClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { followManifestUrl, manifestsIn } from './manifest-url.ts'
import { mirrorOf, mirrorStep } from './mirror-pod.ts'
import { isStaticPod } from './pod-source.ts'
import { readManifest } from './read-manifest.ts'

const place = { source: 'file' as const, path: '/manifests/a.yaml', nodeName: 'n1', nowMs: 0 }
const manifest = 'apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: c, image: i }] }'

test('a manifest becomes a pod that is bound to its node and has every default', () => {
  const { metadata, spec, status } = readManifest(manifest, place)
  assert.deepEqual([metadata.name, metadata.namespace, spec.nodeName], ['web-n1', 'default', 'n1'])
  assert.equal(metadata.annotations?.['kubernetes.io/config.hash'], metadata.uid)
  assert.deepEqual(
    [spec.restartPolicy, spec.containers[0]?.imagePullPolicy, status?.phase],
    ['Always', 'Always', 'Pending'],
  )
  assert.deepEqual(spec.tolerations, [{ operator: 'Exists', effect: 'NoExecute' }])
})

test('its uid stays while the text stays, and differs for another text, file or node', () => {
  const uidOf = (text: string, more: Partial<typeof place> = {}): string =>
    readManifest(text, { ...place, ...more }).metadata.uid
  assert.equal(uidOf(manifest, { nowMs: 5 }), uidOf(manifest))
  const others = [uidOf(`${manifest} `), uidOf(manifest, { path: '/b' }), uidOf(manifest, { nodeName: 'n2' })]
  assert.equal(new Set([uidOf(manifest), ...others]).size, 4)
})

const refusals: readonly [text: string, message: RegExp][] = [
  ['kind: Service\napiVersion: v1', /the manifest is no v1 Pod/],
  [manifest.replace('image: i', 'imag: i'), /unknown field "spec.containers\[0\].imag"/],
  [manifest.replace('name: c', 'name: C'), /invalid pod: spec.containers\[0\].name: /],
  [manifest.replace('spec: {', 'spec: { serviceAccountName: x,'), /may not reference service accounts/],
  [
    manifest.replace('spec: {', 'spec: { volumes: [{ name: s, secret: { secretName: x } }],'),
    /may not reference other API objects/,
  ],
]
for (const [text, message] of refusals)
  test(`refused: ${message.source}`, () => assert.throws(() => readManifest(text, place), message))

test('the mirror follows the manifest', () => {
  const pod = readManifest(manifest, place)
  const mirror = { ...mirrorOf(pod, undefined), apiVersion: 'v1', kind: 'Pod' } as Pod
  const ending = { ...mirror, metadata: { ...mirror.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }
  const changed = readManifest(manifest.replace('image: i', 'image: j'), place)
  assert.ok(isStaticPod(pod))
  assert.equal(mirrorStep(pod, undefined), 'create')
  assert.equal(mirrorStep(pod, mirror), 'none')
  assert.equal(mirrorStep(pod, ending), 'delete')
  assert.equal(mirrorStep(changed, mirror), 'delete')
  assert.equal(mirrorStep(undefined, mirror), 'delete')
  assert.equal(mirrorStep(undefined, undefined), 'none')
})

test('a URL gives one pod or a list of them', () => {
  const url = 'http://n/pods'
  assert.deepEqual([...manifestsIn(manifest, url)], [[url, manifest]])
  const list = JSON.stringify({ kind: 'PodList', apiVersion: 'v1', items: [{ metadata: { name: 'a' } }, {}] })
  assert.deepEqual([...manifestsIn(list, url).keys()], [`${url}#0`, `${url}#1`])
  assert.match(manifestsIn(list, url).get(`${url}#0`) ?? '', /"kind":"Pod"/)
  assert.throws(() => manifestsIn('', url), /zero-length data received from http:/)
  const { metadata } = readManifest(manifest, { ...place, source: 'http', path: url })
  assert.equal(metadata.annotations?.['kubernetes.io/config.source'], 'http')
})

test('a URL is asked at intervals; without an answer the last one stands', async () => {
  const clock = manualClock()
  const stop = new AbortController()
  const answers = [manifest, new Error('away'), manifest, `${manifest} `]
  const seen: string[] = []
  const following = followManifestUrl(
    {
      ...{ url: 'http://n', headers: {}, everyMs: 20_000, clock, log: silentLog },
      read: async () => {
        const answer = answers.shift()
        if (typeof answer !== 'string') throw answer ?? new Error('no more')
        return answer
      },
      onLook: async (texts) => void seen.push([...texts.values()].join()),
    },
    stop.signal,
  )
  await clock.advance(59_000)
  assert.deepEqual(seen, [manifest])
  await clock.advance(2_000)
  assert.deepEqual(seen, [manifest, `${manifest} `])
  stop.abort()
  await following
})
