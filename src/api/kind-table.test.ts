import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { seededRandom, type Random } from '#lib/random.ts'
import { kinds } from './kind-table.ts'
import { tryCreate } from './kind-trial.case.ts'
import type { Draft, Kind } from './kind.ts'
import type { KubernetesObject } from './meta/resource.ts'
import { applySchemaDefaults } from './schema/defaults.ts'
import { kindNode } from './schema/node.ts'
import type { ColumnRow, ResourceRow } from './schema/shapes.ts'

function facts<T>(name: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'schema', name), 'utf8')) as T
}

const { resources } = facts<{ resources: readonly ResourceRow[] }>('resources.json')
const columns = facts<Readonly<Record<string, readonly ColumnRow[]>>>('columns.json')

const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } }
const selector = { matchLabels: { a: 'b' } }
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }
const match = { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }] }

/** The least that each kind needs to be valid, where that is more than a name. */
const samples: Readonly<Record<string, object>> = {
  APIService: {
    metadata: { name: 'v1.g' },
    spec: { group: 'g', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 },
  },
  CSIDriver: { spec: {} },
  CSINode: { spec: { drivers: [] } },
  CSIStorageCapacity: { storageClassName: 's' },
  CertificateSigningRequest: {
    spec: {
      request: Buffer.from('-----BEGIN CERTIFICATE REQUEST-----').toString('base64'),
      signerName: 'example.com/s',
      usages: ['any'],
    },
  },
  ClusterRoleBinding: { roleRef: { kind: 'ClusterRole', name: 'r' } },
  ControllerRevision: { revision: 1, data: {} },
  CronJob: {
    spec: {
      schedule: '*/5 * * * *',
      jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
    },
  },
  CustomResourceDefinition: {
    metadata: { name: 'ws.e.com' },
    spec: {
      group: 'e.com',
      scope: 'Namespaced',
      names: { plural: 'ws', kind: 'W' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  },
  DaemonSet: { spec: { selector, template } },
  Deployment: { spec: { selector, template } },
  DeviceClass: { spec: {} },
  EndpointSlice: { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }] },
  Event: {
    involvedObject: { namespace: 'ns' },
    regarding: { namespace: 'ns' },
    eventTime: '2024-01-01T00:00:00.000000Z',
    reportingController: 'c',
    reportingInstance: 'i',
    action: 'A',
    reason: 'R',
    type: 'Normal',
  },
  FlowSchema: { spec: { priorityLevelConfiguration: { name: 'p' } } },
  HorizontalPodAutoscaler: { spec: { maxReplicas: 2, scaleTargetRef } },
  IPAddress: {
    metadata: { name: '10.0.0.1' },
    spec: { parentRef: { resource: 'services', name: 's', namespace: 'd' } },
  },
  Ingress: { spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } } },
  IngressClass: { spec: { controller: 'example.com/c' } },
  Job: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
  MutatingAdmissionPolicy: {
    spec: {
      matchConstraints: match,
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'JSONPatch', jsonPatch: {} }],
    },
  },
  MutatingAdmissionPolicyBinding: { spec: { policyName: 'p' } },
  NetworkPolicy: { spec: { podSelector: {} } },
  Node: { spec: {} },
  PersistentVolume: {
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } },
  },
  PersistentVolumeClaim: {
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  },
  Pod: { spec: template.spec },
  PodTemplate: { template },
  PodDisruptionBudget: { spec: { minAvailable: 1 } },
  PriorityLevelConfiguration: { spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } } },
  ReplicaSet: { spec: { selector, template } },
  ReplicationController: { spec: { template } },
  ResourceClaim: { spec: {} },
  ResourceClaimTemplate: { spec: { spec: {} } },
  ResourceSlice: { spec: { driver: 'd.e', pool: { name: 'p', generation: 1, resourceSliceCount: 1 }, nodeName: 'n' } },
  RoleBinding: { roleRef: { kind: 'Role', name: 'r' } },
  RuntimeClass: { handler: 'h' },
  Service: { spec: { ports: [{ port: 80 }] } },
  ServiceCIDR: { spec: { cidrs: ['10.0.0.0/24'] } },
  StatefulSet: { spec: { selector, template } },
  StorageClass: { provisioner: 'example.com/p' },
  ValidatingAdmissionPolicy: { spec: { matchConstraints: match, validations: [{ expression: 'true' }] } },
  ValidatingAdmissionPolicyBinding: { spec: { policyName: 'p', validationActions: ['Deny'] } },
  VolumeAttachment: { spec: { attacher: 'a', nodeName: 'n', source: { persistentVolumeName: 'p' } } },
  VolumeAttributesClass: { driverName: 'd', parameters: { a: 'b' } },
}

function rowOf({ group, version, kind }: Kind): ResourceRow | undefined {
  const groupVersion = group === '' ? version : `${group}/${version}`
  return resources.find((row) => row.groupVersion === groupVersion && row.kind === kind && !row.name.includes('/'))
}

test('every kind of the table is served, and stands there once', () => {
  const rows = kinds.map((kind) => [kind, rowOf(kind)] as const)
  assert.deepEqual(
    rows.filter(([, row]) => row === undefined),
    [],
  )
  const names = rows.map(([, row]) => `${row?.groupVersion}/${row?.name}`)
  assert.deepEqual([...new Set(names)], names)
})

test('a kind prints as many cells as it has columns', () => {
  for (const kind of kinds) {
    const row = rowOf(kind)
    const { object } = tryCreate(kind, samples[kind.kind] ?? {})
    const cells = kind.cells?.(object, Date.parse('2024-01-02T00:00:00Z')) ?? []
    const expected = columns[`${row?.groupVersion}/${row?.name}`] ?? []
    assert.equal(cells.length, expected.length, `${row?.groupVersion} ${kind.kind}`)
    assert.ok(
      cells.every((cell) => cell !== undefined),
      `${kind.kind}: ${JSON.stringify(cells)}`,
    )
  }
})

test('the least valid object is accepted, and filling it in twice changes nothing', () => {
  for (const kind of kinds) {
    const namespace = rowOf(kind)?.namespaced === true ? 'ns' : ''
    const { object, messages } = tryCreate(kind, samples[kind.kind] ?? {}, namespace)
    assert.deepEqual(messages, [], kind.kind)
    const again = structuredClone(object)
    kind.setDefaults?.(again as never)
    assert.deepEqual(again, object, kind.kind)
  }
})

/** Drops members and items here and there, as careless clients do. */
function withGaps(value: unknown, random: Random, chance: number): unknown {
  if (Array.isArray(value)) {
    return value.filter(() => random.next() >= chance).map((item) => withGaps(item, random, chance))
  }
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([name]) => name === 'metadata' || random.next() >= chance)
  return Object.fromEntries(kept.map(([name, member]) => [name, withGaps(member, random, chance)]))
}

test('objects with parts missing anywhere are refused, never stumbled over', () => {
  const random = seededRandom(7)
  for (const kind of kinds) {
    const node = kindNode(kind.group, kind.version, kind.kind)
    const whole = tryCreate(kind, samples[kind.kind] ?? {}).object
    for (let round = 0; round < 20; round++) {
      const draft = withGaps(structuredClone(whole), random, 0.1 + round * 0.03) as Draft<KubernetesObject>
      draft.metadata = structuredClone(whole.metadata) as Draft<KubernetesObject>['metadata']
      kind.setDefaults?.(draft)
      if (node !== undefined) applySchemaDefaults(node, draft)
      kind.prepareForCreate?.(draft)
      if (node !== undefined) applySchemaDefaults(node, draft)
      const object = draft as unknown as KubernetesObject
      kind.validate?.(object)
      kind.validateUpdate?.(object, whole)
      kind.validateStatusUpdate?.(object, whole)
      kind.cells?.(object, Date.parse('2024-01-02T00:00:00Z'))
      kind.selectableFields?.(object)
      kind.warnings?.(object)
    }
  }
})
