import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deepFreeze } from '#lib/deep-freeze.ts'
import { decodeValue } from '../../schema/decode.ts'
import { kindNode, type ObjectNode } from '../../schema/node.ts'
import type { FieldsV1, ManagedFieldsEntry } from '../../types/meta.v1.ts'
import { applyConfiguration, trackUpdate } from './apply.ts'
import { ignoredFields } from './baseline.ts'

type Json = Record<string, unknown>
interface Stored extends Json {
  readonly metadata?: { readonly managedFields?: readonly ManagedFieldsEntry[] }
}

/** One object of a kind, written as the API server would, without defaults and admission. */
class Subject {
  readonly #node: ObjectNode
  readonly #type: { apiVersion: string; kind: string }
  live: Stored | undefined
  #clock = 0

  constructor(group: string, version: string, kind: string) {
    this.#node = kindNode(group, version, kind) as ObjectNode
    this.#type = { apiVersion: group === '' ? version : `${group}/${version}`, kind }
  }

  apply(manager: string, config: Json, options: { force?: boolean; subresource?: string } = {}): this {
    const { force = false, subresource = '' } = options
    const result = applyConfiguration({
      ...this.#writer(manager, subresource),
      live: this.live,
      config: { ...this.#type, ...config },
      force,
    })
    return this.#store(result.object, result.managedFields)
  }

  update(manager: string, object: Json, subresource: string = ''): this {
    const next = { ...this.#type, ...object } as Stored
    return this.#store(next, trackUpdate({ ...this.#writer(manager, subresource), live: this.live, object: next }))
  }

  fieldsOf(manager: string): FieldsV1 | undefined {
    return this.live?.metadata?.managedFields?.find((entry) => entry.manager === manager)?.fieldsV1
  }

  managers(): string[] {
    return (this.live?.metadata?.managedFields ?? []).map(({ manager, operation }) => `${manager} ${operation}`)
  }

  #writer(manager: string, subresource: string) {
    const ignored = ignoredFields(this.#node, subresource, this.#node.fields.has('status'))
    const now = `2026-01-01T00:00:${String(this.#clock++).padStart(2, '0')}Z`
    return { node: this.#node, manager, apiVersion: this.#type.apiVersion, subresource, now, ignored }
  }

  #store(object: object, managedFields: readonly ManagedFieldsEntry[]): this {
    const metadata = { name: 'a', uid: 'u', ...(object as Stored).metadata, managedFields }
    this.live = deepFreeze(decodeValue<Stored>(this.#node, { ...object, metadata }).object)
    return this
  }
}

const configMap = (): Subject => new Subject('', 'v1', 'ConfigMap')

test('a manager owns what it applies and gives up what it no longer mentions', () => {
  const subject = configMap().apply('m1', { metadata: { name: 'a', labels: { l: '1' } }, data: { x: '1', y: '2' } })
  assert.deepEqual(subject.fieldsOf('m1'), {
    'f:data': { 'f:x': {}, 'f:y': {} },
    'f:metadata': { 'f:labels': { 'f:l': {} } },
  })
  subject.apply('m1', { metadata: { name: 'a' }, data: { x: '1', z: '3' } })
  assert.deepEqual(subject.live?.['data'], { x: '1', z: '3' })
  assert.deepEqual(Object.keys(subject.live?.metadata ?? {}).sort(), ['managedFields', 'name', 'uid'])
  subject.apply('m1', {})
  assert.equal(subject.live?.['data'], undefined)
  assert.deepEqual(subject.managers(), [])
})

test('entries that cannot be read are not taken from a client', () => {
  const entry = { manager: 'x', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:data': { 'f:a': {} } } }
  const subject = configMap().update('m1', { metadata: { name: 'a' }, data: { a: '1' } })
  for (const bad of [
    { ...entry, operation: 'Steal' },
    { ...entry, operation: 'Update', fieldsType: 'V2' },
  ]) {
    subject.update('m2', { metadata: { name: 'a', managedFields: [bad] }, data: { a: '1', b: '2' } })
    assert.deepEqual(subject.managers(), ['m1 Update', 'm2 Update'])
  }
})

test('a field of another manager conflicts unless the values agree or the apply is forced', () => {
  const subject = configMap().apply('m1', { data: { x: '1', z: '3' } })
  assert.throws(() => subject.apply('m2', { data: { x: 'other' } }), {
    code: 409,
    message: 'Apply failed with 1 conflict: conflict with "m1": .data.x',
  })
  assert.throws(() => subject.apply('m2', { data: { x: 'other', z: 'zz' } }), {
    message: 'Apply failed with 2 conflicts: conflicts with "m1":\n- .data.x\n- .data.z',
    details: {
      causes: [
        { reason: 'FieldManagerConflict', message: 'conflict with "m1"', field: '.data.x' },
        { reason: 'FieldManagerConflict', message: 'conflict with "m1"', field: '.data.z' },
      ],
    },
  })
  subject.apply('m2', { data: { x: '1' } })
  assert.equal(subject.live?.metadata?.managedFields?.find(({ manager }) => manager === 'm2')?.time, undefined)
  subject.apply('m1', { data: { z: '3' } })
  assert.deepEqual(subject.live?.['data'], { x: '1', z: '3' })
  subject.apply('m2', { data: { z: 'forced' } }, { force: true })
  assert.deepEqual(subject.live?.['data'], { z: 'forced' })
  assert.deepEqual(subject.managers(), ['m2 Apply'])
})

test('updates own what they change, and applies conflict with them', () => {
  const subject = configMap().apply('m2', { data: { z: 'forced' } })
  subject.update('upd', { ...subject.live, data: { z: 'updated' } })
  assert.deepEqual(subject.managers(), ['upd Update'])
  assert.deepEqual(subject.fieldsOf('upd'), { 'f:data': { 'f:z': {} } })
  assert.throws(() => subject.apply('m2', { data: { z: 'back' } }), {
    message: 'Apply failed with 1 conflict: conflict with "upd" using v1: .data.z',
  })
  const unchanged = subject.live?.metadata?.managedFields
  subject.update('other', { ...subject.live })
  assert.deepEqual(subject.live?.metadata?.managedFields, unchanged)
  subject.update('reset', { ...subject.live, metadata: { name: 'a', managedFields: [{}] } })
  assert.deepEqual(subject.managers(), [])
  subject.apply('m3', { data: { n: '1' } })
  assert.deepEqual(subject.managers(), ['m3 Apply', 'before-first-apply Update'])
})

test('what a configuration cannot say is refused in the words of the API server', () => {
  assert.throws(() => configMap().apply('m', { data: { n: 5 } }), {
    code: 500,
    message:
      'failed to create typed patch object (/; /v1, Kind=ConfigMap): .data.n: expected string, got &value.valueUnstructured{Value:5}',
  })
  assert.throws(() => configMap().apply('m', { bogus: 5 }), {
    message: 'failed to create typed patch object (/; /v1, Kind=ConfigMap): .bogus: field not declared in schema',
  })
  assert.throws(
    () => deployment().apply('m', { spec: containers({ name: 'a' }, { name: 'a' }) }),
    /duplicate entries for key/,
  )
})

const deployment = (): Subject => new Subject('apps', 'v1', 'Deployment')
const containers = (...list: Json[]): Json => ({ template: { spec: { containers: list } } })
const containerList = (subject: Subject): Json[] =>
  (subject.live as unknown as { spec: { template: { spec: { containers: Json[] } } } }).spec.template.spec.containers

test('items of keyed lists have owners of their own', () => {
  const subject = deployment().apply('m1', {
    spec: containers({ name: 'a', image: '1', ports: [{ containerPort: 80 }] }, { name: 'b', image: '1' }),
  })
  assert.deepEqual(subject.fieldsOf('m1'), {
    'f:spec': {
      'f:template': {
        'f:spec': {
          'f:containers': {
            'k:{"name":"a"}': {
              '.': {},
              'f:image': {},
              'f:name': {},
              'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
            },
            'k:{"name":"b"}': { '.': {}, 'f:image': {}, 'f:name': {} },
          },
        },
      },
    },
  })
  subject.apply('m2', { spec: containers({ name: 'c', image: '2' }) })
  assert.deepEqual(
    containerList(subject).map(({ name }) => name),
    ['a', 'b', 'c'],
  )
  subject.apply('m1', { spec: containers({ name: 'b', image: '1' }) })
  assert.deepEqual(
    containerList(subject).map(({ name }) => name),
    ['b', 'c'],
  )
  assert.throws(() => subject.apply('m2', { spec: containers({ name: 'c', image: '2' }, { name: 'b', image: '3' }) }), {
    message: 'Apply failed with 1 conflict: conflict with "m1": .spec.template.spec.containers[name="b"].image',
  })
})

test('sets merge value by value', () => {
  const subject = configMap()
    .apply('m1', { metadata: { finalizers: ['x/a'] } })
    .apply('m2', { metadata: { finalizers: ['x/b'] } })
  assert.deepEqual((subject.live as unknown as { metadata: Json }).metadata['finalizers'], ['x/a', 'x/b'])
  subject.apply('m1', {})
  assert.deepEqual((subject.live as unknown as { metadata: Json }).metadata['finalizers'], ['x/b'])
})

test('the creator owns what it sent, parents included where they are new', () => {
  const subject = configMap().update('vec', { metadata: { name: 'a', labels: { l: '1' } }, data: { k: 'v' } })
  assert.deepEqual(subject.fieldsOf('vec'), {
    'f:data': { '.': {}, 'f:k': {} },
    'f:metadata': { 'f:labels': { '.': {}, 'f:l': {} } },
  })
  const pod = new Subject('', 'v1', 'Pod').update('vec', {
    spec: { containers: [{ name: 'c', image: 'i', resources: {} }], securityContext: {} },
  })
  assert.deepEqual(pod.fieldsOf('vec'), {
    'f:spec': {
      'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:image': {}, 'f:name': {}, 'f:resources': {} } },
      'f:securityContext': {},
    },
  })
})

test('an endpoint neither owns nor removes what it does not write', () => {
  const backend = (number: number): Json => ({ defaultBackend: { service: { name: 's', port: { number } } } })
  const subject = new Subject('networking.k8s.io', 'v1', 'Ingress').update('vec', { spec: backend(80) })
  assert.deepEqual(subject.fieldsOf('vec'), {
    'f:spec': { 'f:defaultBackend': { '.': {}, 'f:service': { '.': {}, 'f:name': {}, 'f:port': {} } } },
  })
  subject.apply('lb', { status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } } }, { subresource: 'status' })
  assert.deepEqual(subject.fieldsOf('lb'), { 'f:status': { 'f:loadBalancer': { 'f:ingress': {} } } })
  subject.apply('lb', { spec: { ingressClassName: 'zz' } }, { subresource: 'status' })
  assert.deepEqual(subject.live?.['spec'], backend(80))
  assert.throws(() => subject.apply('m1', { spec: backend(81) }), {
    message:
      'Apply failed with 1 conflict: conflict with "vec" using networking.k8s.io/v1: .spec.defaultBackend.service.port',
  })
  subject.apply('m1', { spec: backend(81) }, { force: true })
  assert.deepEqual(subject.fieldsOf('vec'), {
    'f:spec': { 'f:defaultBackend': { '.': {}, 'f:service': { '.': {}, 'f:name': {} } } },
  })
})

test('many update managers fold into one', () => {
  const subject = configMap().update('m0', { data: { k0: '0' } })
  for (let index = 1; index < 15; index++) {
    subject.update(`m${index}`, { ...subject.live, data: { ...(subject.live?.['data'] as Json), [`k${index}`]: '1' } })
  }
  assert.equal(subject.managers().length, 10)
  assert.equal(subject.managers().filter((name) => name.startsWith('ancient-changes')).length, 1)
  assert.deepEqual(Object.keys((subject.fieldsOf('ancient-changes') as Record<string, object>)['f:data'] ?? {}), [
    '.',
    'f:k0',
    'f:k1',
    'f:k2',
    'f:k3',
    'f:k4',
    'f:k5',
  ])
})

test('a zero that is not written down still belongs to whoever says it, and saying it again changes nothing', () => {
  const subject = new Subject('apps', 'v1', 'Deployment').apply('m1', { spec: { paused: false } })
  assert.deepEqual(subject.live?.['spec'], {})
  assert.deepEqual(subject.fieldsOf('m1'), { 'f:spec': { 'f:paused': {} } })
  const before = subject.live
  assert.deepEqual(subject.apply('m1', { spec: { paused: false } }).live, before)
  assert.throws(() => subject.apply('m2', { spec: { paused: false } }), {
    message: 'Apply failed with 1 conflict: conflict with "m1": .spec.paused',
  })
})

test('a creator owns a new list, unless the type writes it empty too', () => {
  const roles = new Subject('rbac.authorization.k8s.io', 'v1', 'Role').update('c', { rules: [] })
  assert.deepEqual(roles.fieldsOf('c'), { 'f:rules': {} })
  const binding = new Subject('admissionregistration.k8s.io', 'v1', 'ValidatingAdmissionPolicyBinding')
  binding.update('c', { spec: { policyName: 'p', validationActions: ['Deny'] } })
  assert.deepEqual(binding.fieldsOf('c'), {
    'f:spec': { 'f:policyName': {}, 'f:validationActions': { '.': {}, 'v:"Deny"': {} } },
  })
})
