import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import { readerOf } from '../registry/object-reader.case.ts'
import { admit } from './admission.case.ts'
import { limitRanger } from './limit-ranger.ts'

const range = {
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name: 'l', namespace: 'shop' },
  spec: {
    limits: [
      {
        type: 'Container',
        default: { cpu: '500m', memory: '100Mi' },
        defaultRequest: { cpu: '100m', memory: '100Mi' },
        max: { cpu: '1', memory: '1Gi' },
        min: { cpu: '50m' },
        maxLimitRequestRatio: { cpu: '8' },
      },
      { type: 'Pod', max: { cpu: '1500m' } },
      { type: 'PersistentVolumeClaim', max: { storage: '2Gi' }, min: { storage: '1Gi' } },
    ],
  },
}

function create(name: string, containers: readonly object[], rest: object = {}): Promise<unknown> {
  const object = { metadata: { name, namespace: 'shop' }, spec: { containers, ...rest } }
  return admit([limitRanger], readerOf(range), { to: 'pods', object })
}

const container = (name: string, requests?: object, limits?: object): object => ({
  name,
  resources: { ...(requests && { requests }), ...(limits && { limits }) },
})

test('defaults are filled in and noted', async () => {
  const pod = (await create('g', [container('c', { cpu: '200m' })], { initContainers: [{ name: 'i' }] })) as Pod
  assert.deepEqual(pod.spec?.containers[0]?.resources, {
    requests: { cpu: '200m', memory: '100Mi' },
    limits: { cpu: '500m', memory: '100Mi' },
  })
  assert.equal(
    pod.metadata.annotations?.['kubernetes.io/limit-ranger'],
    'LimitRanger plugin set: memory request for container c; cpu, memory limit for container c; cpu, memory request for init container i; cpu, memory limit for init container i',
  )
})

const refusals: readonly [readonly object[], string][] = [
  [
    [container('c', { cpu: '2' }, { cpu: '2' })],
    '[maximum cpu usage per Container is 1, but limit is 2, maximum cpu usage per Pod is 1500m, but limit is 2]',
  ],
  [[container('c', { cpu: '10m' }, { cpu: '20m' })], 'minimum cpu usage per Container is 50m, but request is 10m'],
  [
    [container('c', { cpu: '50m' }, { cpu: '900m' })],
    'cpu max limit to request ratio per Container is 8, but provided ratio is 18.000000',
  ],
  [
    [container('c'), container('d', { cpu: '1' }, { cpu: '1' }), container('e', { cpu: '1' }, { cpu: '1' })],
    'maximum cpu usage per Pod is 1500m, but limit is 2500m',
  ],
]

for (const [containers, why] of refusals) {
  test(`refused: ${why}`, async () => {
    await assert.rejects(create('x', containers), { reason: 'Forbidden', message: `pods "x" is forbidden: ${why}` })
  })
}

test('claims are bounded too', async () => {
  const object = { metadata: { name: 'c', namespace: 'shop' }, spec: { resources: { requests: { storage: '3Gi' } } } }
  const message =
    'persistentvolumeclaims "c" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi'
  await assert.rejects(admit([limitRanger], readerOf(range), { to: 'persistentvolumeclaims', object }), { message })
})
