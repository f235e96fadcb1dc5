import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigMap, Container, Pod, Secret, Service } from '#api/types/core.v1.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import { containerEnvironment, type EnvironmentInput } from './container-environment.ts'
import { expandVariables } from './expand.ts'
import { expandSubPath } from './expand-sub-path.ts'
import { fieldValue } from './field-ref.ts'
import { resourceFieldValue } from './resource-field.ts'
import { serviceEnvironment } from './service-environment.ts'

const metadata = { uid: 'u', resourceVersion: '1', creationTimestamp: '', namespace: 'ns' }

test('references are expanded once; unknown ones and escaped ones stay', () => {
  const values: Record<string, string> = { A: '1', B: '$(A)' }
  const cases: readonly [string, string][] = [
    ['$(A)', '1'],
    ['x$(A)y$(B)', 'x1y$(A)'],
    ['$(MISSING)', '$(MISSING)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$1'],
    ['$A ${A} $', '$A ${A} $'],
  ]
  for (const [text, expected] of cases)
    assert.equal(
      expandVariables(text, (name) => values[name]),
      expected,
      text,
    )
})

test('a path below a volume needs every variable and stays below', () => {
  const values: Record<string, string> = { A: 'a', EMPTY: '', UP: '..', TOP: '/tmp' }
  const outcome = (text: string): string => {
    try {
      return expandSubPath(text, (name) => values[name])
    } catch (error) {
      return (error as Error).message
    }
  }
  assert.equal(outcome('$(A)/b'), 'a/b')
  assert.equal(outcome('$(MISSING)$(EMPTY)'), 'missing value for EMPTY, MISSING')
  assert.equal(outcome('$(TOP)'), 'error SubPath `/tmp` must not be an absolute path')
  assert.equal(outcome('x/$(UP)'), "unable to provision SubPath `x/..`: must not contain '..'")
})

function service(name: string, namespace: string, clusterIP: string, ports: Service['spec']['ports']): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metadata, name, namespace },
    spec: { clusterIP, ...(ports && { ports }) },
  }
}

const services = [
  service('kubernetes', 'default', '10.96.0.1', [{ name: 'https', port: 443 }]),
  service('my-db', 'ns', '10.96.0.9', [{ port: 5432 }, { name: 'metrics', port: 90, protocol: 'UDP' }]),
  service('headless', 'ns', 'None', [{ port: 1 }]),
  service('other', 'elsewhere', '10.96.0.8', [{ port: 1 }]),
]

test('service variables: those of the namespace and of kubernetes itself', () => {
  const variables = serviceEnvironment(services, { namespace: 'ns', enableServiceLinks: true })
  assert.deepEqual(Object.fromEntries([...variables].filter(([name]) => name.startsWith('MY_DB'))), {
    MY_DB_SERVICE_HOST: '10.96.0.9',
    MY_DB_SERVICE_PORT: '5432',
    MY_DB_SERVICE_PORT_METRICS: '90',
    MY_DB_PORT: 'tcp://10.96.0.9:5432',
    MY_DB_PORT_5432_TCP: 'tcp://10.96.0.9:5432',
    MY_DB_PORT_5432_TCP_PROTO: 'tcp',
    MY_DB_PORT_5432_TCP_PORT: '5432',
    MY_DB_PORT_5432_TCP_ADDR: '10.96.0.9',
    MY_DB_PORT_90_UDP: 'udp://10.96.0.9:90',
    MY_DB_PORT_90_UDP_PROTO: 'udp',
    MY_DB_PORT_90_UDP_PORT: '90',
    MY_DB_PORT_90_UDP_ADDR: '10.96.0.9',
  })
  assert.equal(variables.get('KUBERNETES_SERVICE_PORT_HTTPS'), '443')
  assert.equal(variables.has('OTHER_SERVICE_HOST') || variables.has('HEADLESS_SERVICE_HOST'), false)
  const few = serviceEnvironment(services, { namespace: 'ns', enableServiceLinks: false })
  assert.deepEqual([few.has('MY_DB_SERVICE_HOST'), few.get('KUBERNETES_SERVICE_HOST')], [false, '10.96.0.1'])
})

const container: Container = { name: 'c', resources: { limits: { memory: '128Mi' }, requests: { cpu: '250m' } } }
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadata, name: 'p', labels: { b: '2', a: 'x "y"' } },
  spec: { containers: [container], serviceAccountName: 'sa' },
}
const place = { podIps: ['10.0.0.2', 'fd00::2'], hostIps: ['192.168.0.1'], nodeName: 'n1' }

test('fields of the downward API', () => {
  const paths = [
    "metadata.labels['b']",
    "metadata.annotations['none']",
    'metadata.labels',
    'status.podIPs',
    'spec.nodeName',
    'spec.x',
  ]
  assert.deepEqual(
    paths.map((path) => fieldValue(pod, path, place)),
    ['2', '', 'a="x \\"y\\""\nb="2"', '10.0.0.2,fd00::2', 'n1', undefined],
  )
})

test('resource fields are divided and rounded up; limits fall back to the node', () => {
  const allocatable = { cpu: 4000, memory: 1024 ** 3 }
  const value = (resource: string, divisor?: string) =>
    resourceFieldValue(pod, { resource, ...(divisor !== undefined && { divisor }) }, { container, allocatable })
  assert.deepEqual(
    [
      value('limits.memory', '1Mi'),
      value('limits.cpu'),
      value('requests.cpu'),
      value('requests.cpu', '1m'),
      value('requests.memory'),
      value('x.y'),
    ],
    ['128', '4', '1', '250', String(128 * 1024 ** 2), undefined],
  )
  const whole = { ...pod, spec: { ...pod.spec, resources: { limits: { cpu: '1500m' } } } }
  const ofPod = resourceFieldValue(whole, { resource: 'limits.cpu', divisor: '1m' }, { container, allocatable })
  assert.equal(ofPod, '1500')
})

const objects: PodObjects = {
  async get(resource, name) {
    const map: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, name }, data: { k: 'v' } }
    const secret: Secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...metadata, name },
      data: { k: 'c2VjcmV0' },
    }
    return (name === 'missing' ? undefined : resource.kind === 'Secret' ? secret : map) as never
  },
  lookUp: async () => undefined,
  follow: async () => Promise.reject(new Error('nothing is followed')),
  release() {},
}

function input(parts: Partial<Container>): EnvironmentInput {
  return {
    pod,
    container: { ...container, ...parts },
    place,
    objects,
    services: new Map([['S', 's']]),
    allocatable: {},
    volumes: new Map([['v', { hostPath: '/v' }]]),
    readInside: async (folder, path) => (`${folder}/${path}` === '/v/a.env' ? "A='of a file'" : undefined),
  }
}

test('env comes after envFrom, may refer to what stands before it, and hides service variables', async () => {
  const env = await containerEnvironment(
    input({
      envFrom: [{ prefix: 'P_', configMapRef: { name: 'm' } }, { secretRef: { name: 'missing', optional: true } }],
      env: [
        { name: 'A', value: '$(P_k)-$(S)' },
        { name: 'S', value: 'own' },
        { name: 'T', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
        { name: 'GONE', valueFrom: { configMapKeyRef: { name: 'missing', key: 'k', optional: true } } },
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'F', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'a.env', key: 'A' } } },
        { name: 'NONE', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'a.env', key: 'B', optional: true } } },
      ],
    }),
  )
  const values = Object.fromEntries(env.map(({ name, value }) => [name, value]))
  assert.deepEqual(values, { P_k: 'v', A: 'v-s', S: 'own', T: 'secret', IP: '10.0.0.2', F: 'of a file' })
})

test('what is missing and not optional is named', async () => {
  const failure = (parts: Partial<Container>) =>
    containerEnvironment(input(parts)).then(
      () => '',
      (error: Error) => error.message,
    )
  assert.equal(await failure({ envFrom: [{ secretRef: { name: 'missing' } }] }), 'secret "missing" not found')
  assert.equal(
    await failure({ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'm', key: 'zz' } } }] }),
    "couldn't find key zz in ConfigMap ns/m",
  )
  assert.equal(
    await failure({ env: [{ name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'none', key: 'K' } } }] }),
    'environment variable key "K" not found in file "none"',
  )
})
