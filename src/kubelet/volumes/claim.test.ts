import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { Node, PersistentVolume, Pod, Volume } from '#api/types/core.v1.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import { boundVolume, claimNameOf } from './claim.ts'
import { reachesNode } from './persistent.ts'
import { mountFailure } from './pod-volumes.ts'

const metadata = { name: 'web', namespace: 'shop', uid: 'pod-1', resourceVersion: '1', creationTimestamp: '' }
const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [] } }
const named: Volume = { name: 'd', persistentVolumeClaim: { claimName: 'data' } }
const own: Volume = { name: 'd', ephemeral: {} }

const bound = {
  metadata: { name: 'data', namespace: 'shop', uid: 'c-1' },
  spec: { volumeName: 'pv' },
  status: { phase: 'Bound' },
}
const volume = { metadata: { name: 'pv' }, spec: { claimRef: { uid: 'c-1' }, hostPath: { path: '/x' } } }

function objects(claim: object | undefined, persistent?: object): PodObjects {
  const lookUp = async <T extends KubernetesObject>({ plural }: Resource<T>): Promise<T | undefined> =>
    (plural === 'persistentvolumes' ? persistent : claim) as T | undefined
  return { lookUp } as unknown as PodObjects
}

test('claims are named by the pod, or after it', () => {
  assert.deepEqual([claimNameOf(pod, named), claimNameOf(pod, own)], ['data', 'web-d'])
})

test('what is in the way of a claim is said in upstream’s words', async () => {
  const cases: readonly [string, Volume, object | undefined, object | undefined][] = [
    ['data: failed to fetch PVC from API server: persistentvolumeclaims "data" not found', named, undefined, undefined],
    ['data: PVC is not bound', named, { ...bound, status: { phase: 'Pending' } }, volume],
    [
      'data: PVC is being deleted',
      named,
      { ...bound, metadata: { ...bound.metadata, deletionTimestamp: 'x' } },
      volume,
    ],
    ['data: PVC has empty pvc.Spec.VolumeName', named, { ...bound, spec: {} }, volume],
    ['web-d: PVC shop/data was not created for pod shop/web (pod is not owner)', own, bound, volume],
    ['data: failed to fetch PV pv from API server: persistentvolumes "pv" not found', named, bound, undefined],
    [
      'data: found PV object pv with a pvc.Spec.ClaimRef.UID c-2 that does not point to the claim data',
      named,
      bound,
      { ...volume, spec: { claimRef: { uid: 'c-2' } } },
    ],
  ]
  for (const [message, asked, claim, persistent] of cases) {
    const answer = boundVolume({ pod, volume: asked, objects: objects(claim, persistent) })
    await assert.rejects(answer, { message: `error processing PVC shop/${message}` })
  }
  const error = await boundVolume({ pod, volume: named, objects: objects(undefined) }).catch(
    (caught: unknown) => caught,
  )
  assert.match(mountFailure('d', error), /^Unable to attach or mount volumes: unmounted volumes=\[d\], /)
})

test('a bound claim gives its volume', async () => {
  const readOnly = { name: 'd', persistentVolumeClaim: { claimName: 'data', readOnly: true } }
  const answer = await boundVolume({ pod, volume: readOnly, objects: objects(bound, volume) })
  assert.deepEqual([answer.persistent.metadata.name, answer.readOnly], ['pv', true])
})

test('a local volume is refused on other nodes', () => {
  const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['a'] }]
  const local = {
    spec: { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } } },
  } as unknown as PersistentVolume
  const node = (name: string): Node => ({ metadata: { labels: { 'kubernetes.io/hostname': name } } }) as unknown as Node
  assert.deepEqual([reachesNode(local, node('a')), reachesNode(local, node('b'))], [true, false])
})
