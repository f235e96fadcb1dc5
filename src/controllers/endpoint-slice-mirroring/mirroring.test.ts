import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Endpoints, Service } from '#api/types/core.v1.ts'
import type { EndpointSlice } from '#api/types/discovery.v1.ts'
import { decideMirror, isMirrored } from './decide.ts'

function source(subsets: object[], metadata: object = {}): Endpoints {
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 's', namespace: 'n', uid: 'u', ...metadata },
    subsets,
  } as never
}

const bare = { spec: {} } as Service

test('only the Endpoints of a service without a selector are mirrored', () => {
  assert.ok(isMirrored(source([]), bare))
  assert.ok(!isMirrored(source([]), undefined))
  assert.ok(!isMirrored(source([]), { spec: { selector: { a: 'b' } } } as never))
  assert.ok(!isMirrored(source([], { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }), bare))
  assert.ok(!isMirrored(source([], { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } }), bare))
})

const ports = [{ name: 'http', port: 80 }]

test('families go apart, readiness and places are kept', () => {
  const addresses = [{ ip: '10.0.0.1', nodeName: 'n1' }, { ip: 'fd00::1' }]
  const subsets = [{ addresses, notReadyAddresses: [{ ip: '10.0.0.2', hostname: 'h' }], ports }]
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', kept: 'yes' }
  const { create } = decideMirror(source(subsets, { labels: { a: 'b' }, annotations }), [])
  assert.deepEqual(
    create.map(({ addressType, endpoints }) => [addressType, endpoints]),
    [
      [
        'IPv4',
        [
          { addresses: ['10.0.0.1'], conditions: { ready: true }, nodeName: 'n1' },
          { addresses: ['10.0.0.2'], conditions: { ready: false }, hostname: 'h' },
        ],
      ],
      ['IPv6', [{ addresses: ['fd00::1'], conditions: { ready: true } }]],
    ],
  )
  assert.deepEqual(create[0]?.metadata.labels, {
    a: 'b',
    'kubernetes.io/service-name': 's',
    'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
  })
  assert.deepEqual(create[0]?.metadata.annotations, { kept: 'yes' })
})

test('what is mirrored stays, what changes is updated, what is over goes', () => {
  const before = source([{ addresses: [{ ip: '10.0.0.1' }], ports }])
  const stored = decideMirror(before, []).create.map((slice, at) => ({
    ...slice,
    metadata: { ...slice.metadata, name: `m${at}` },
  })) as unknown as EndpointSlice[]
  assert.deepEqual(decideMirror(before, stored), { create: [], update: [], delete: [], skipped: 0 })
  const moved = decideMirror(source([{ addresses: [{ ip: '10.0.0.9' }], ports }]), stored)
  assert.deepEqual(moved.update[0]?.endpoints, [{ addresses: ['10.0.0.9'], conditions: { ready: true } }])
  assert.equal(decideMirror(source([]), stored).delete.length, 1)
  const many = Array.from({ length: 1_005 }, (_, at) => ({ ip: `10.0.${at >> 8}.${at & 255}` }))
  assert.equal(decideMirror(source([{ addresses: many, ports }]), []).skipped, 5)
})
