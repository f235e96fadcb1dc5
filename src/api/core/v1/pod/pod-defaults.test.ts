import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate } from '../../../kind-trial.case.ts'
import type { Container, Pod, PodSpec } from '../../../types/core.v1.ts'
import { imagePullPolicyFor } from './image-pull-policy.ts'
import { pod } from './pod.ts'

function specOf(spec: object): PodSpec {
  return (tryCreate(pod, { spec: { containers: [{ name: 'c', image: 'x:1' }], ...spec } }).object as Pod).spec
}

function containerOf(container: object): Container {
  return specOf({ containers: [{ name: 'c', image: 'x:1', ...container }] }).containers[0] as Container
}

test('a minimal pod is filled in', () => {
  const { object } = tryCreate(pod, { spec: { containers: [{ name: 'c', image: 'x:1' }] } })
  const { spec, status } = object as Pod
  assert.deepEqual(spec, {
    containers: [
      {
        name: 'c',
        image: 'x:1',
        resources: {},
        imagePullPolicy: 'IfNotPresent',
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
      },
    ],
    enableServiceLinks: true,
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    securityContext: {},
    schedulerName: 'default-scheduler',
    terminationGracePeriodSeconds: 30,
  })
  assert.deepEqual(status, { phase: 'Pending', qosClass: 'BestEffort' })
})

test('an image without a tag, or with the tag latest, is always pulled', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  const always = ['x', 'x:latest', 'reg.example.com:5000/x', `x:latest@${digest}`]
  const ifAbsent = ['x:1', `x@${digest}`, 'reg.example.com:5000/x:1', '']
  for (const image of always) assert.equal(imagePullPolicyFor(image), 'Always', image)
  for (const image of ifAbsent) assert.equal(imagePullPolicyFor(image), 'IfNotPresent', image)
})

test('probes, hooks, ports and variables', () => {
  const numbers = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }
  const { livenessProbe, readinessProbe, lifecycle, ports, env } = containerOf({
    livenessProbe: { httpGet: { port: 'web' } },
    readinessProbe: { grpc: { port: 9000 }, periodSeconds: 3 },
    lifecycle: { preStop: { httpGet: { port: 80 } } },
    ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP' }],
    env: [
      { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
    ],
  })
  assert.deepEqual(livenessProbe, { httpGet: { port: 'web', path: '/', scheme: 'HTTP' }, ...numbers })
  assert.deepEqual(readinessProbe, { grpc: { port: 9000, service: '' }, ...numbers, periodSeconds: 3 })
  assert.deepEqual(lifecycle, { preStop: { httpGet: { port: 80, path: '/', scheme: 'HTTP' } } })
  assert.deepEqual(
    ports?.map(({ protocol }) => protocol),
    ['TCP', 'UDP'],
  )
  assert.deepEqual(env?.[0]?.valueFrom?.fieldRef, { fieldPath: 'metadata.name', apiVersion: 'v1' })
  assert.deepEqual(env?.[1]?.valueFrom?.resourceFieldRef, { resource: 'limits.cpu', divisor: '0' })
})

test('limits become requests where none are given', () => {
  const { resources } = containerOf({ resources: { requests: { cpu: '100m' }, limits: { cpu: '1', memory: '1G' } } })
  assert.deepEqual(resources, { requests: { cpu: '100m', memory: '1G' }, limits: { cpu: '1', memory: '1G' } })
})

test('pod-level requests come from its containers, or from its limits', () => {
  const resources = { limits: { cpu: '2', memory: '1Gi' } }
  assert.deepEqual(specOf({ resources }).resources?.requests, { cpu: '2', memory: '1Gi' })
  const containers = [{ name: 'c', image: 'x:1', resources: { requests: { cpu: '250m' } } }]
  assert.deepEqual(specOf({ resources, containers }).resources?.requests, { cpu: '250m', memory: '1Gi' })
})

test('on the host network a container port takes the same port of the host', () => {
  const { containers } = specOf({ hostNetwork: true, containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] })
  assert.deepEqual(containers[0]?.ports, [{ containerPort: 80, protocol: 'TCP', hostPort: 80 }])
})

test('both names of the service account are answered', () => {
  const { serviceAccount, serviceAccountName } = specOf({ serviceAccount: 'old' })
  assert.deepEqual([serviceAccount, serviceAccountName], ['old', 'old'])
})

test('volumes', () => {
  const cases: readonly [object, object][] = [
    [{}, { emptyDir: {} }],
    [{ configMap: { name: 'm' } }, { configMap: { name: 'm', defaultMode: 420 } }],
    [{ secret: { secretName: 's' } }, { secret: { secretName: 's', defaultMode: 420 } }],
    [{ hostPath: { path: '/x' } }, { hostPath: { path: '/x', type: '' } }],
    [
      { projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
      { projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 3600 } }], defaultMode: 420 } },
    ],
    [
      { downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
      {
        downwardAPI: {
          items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels', apiVersion: 'v1' } }],
          defaultMode: 420,
        },
      },
    ],
  ]
  for (const [given, filled] of cases) {
    assert.deepEqual(specOf({ volumes: [{ name: 'v', ...given }] }).volumes, [{ name: 'v', ...filled }])
  }
})

test('scheduling gates hold a new pod back', () => {
  const spec = { containers: [{ name: 'c', image: 'x:1' }], schedulingGates: [{ name: 'example.com/g' }] }
  const { object } = tryCreate(pod, { spec })
  assert.deepEqual((object as Pod).status?.conditions, [
    {
      type: 'PodScheduled',
      status: 'False',
      lastProbeTime: null,
      lastTransitionTime: '2024-01-01T00:00:00Z',
      reason: 'SchedulingGated',
      message: 'Scheduling is blocked due to non-empty scheduling gates',
    },
  ])
})

test('filling in twice changes nothing', () => {
  const spec = {
    containers: [{ name: 'c', image: 'x', livenessProbe: { tcpSocket: { port: 1 } } }],
    volumes: [{ name: 'v' }],
  }
  const once = tryCreate(pod, { spec }).object
  assert.deepEqual(tryCreate(pod, once).object, once)
})
