import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, Pod, PodSpec } from '#api/types/core.v1.ts'
import type { ContainerStatus } from '../cri/container.ts'
import type { SandboxStatus } from '../cri/sandbox.ts'
import type { ProbeResults } from '../probes/probe-results.ts'
import { containerHash, hashAnnotation } from './container-hash.ts'
import { decidePod } from './decide.ts'
import { restartCountAnnotation } from './labels.ts'
import type { PodAction, PodSituation } from './pod-plan.ts'
import { defaultRestartDelays as restartDelays } from './restart-backoff.ts'

const nowMs = 1_000_000

function pod(spec: Partial<PodSpec>): Pod {
  const metadata = { name: 'p', namespace: 'ns', uid: 'u', resourceVersion: '1', creationTimestamp: '' }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'c' }], ...spec } }
}

function sandbox(id: string, more: Partial<SandboxStatus> = {}): SandboxStatus {
  const metadata = { name: 'p', namespace: 'ns', uid: 'u', attempt: 0 }
  const ips = ['10.0.0.2']
  return { id, metadata, ready: true, createdAtMs: 1, labels: {}, annotations: {}, ips, hostNetwork: false, ...more }
}

function run(name: string, state: 'running' | number, more: Partial<ContainerStatus> = {}): ContainerStatus {
  const isRunning = state === 'running'
  return {
    id: `${name}-${more.attempt ?? 0}`,
    sandboxId: 's',
    name,
    attempt: 0,
    state: isRunning ? 'running' : 'exited',
    createdAtMs: 1,
    labels: {},
    annotations: { [hashAnnotation]: containerHash({ name }) },
    startedAtMs: nowMs - 1000,
    finishedAtMs: isRunning ? 0 : nowMs,
    exitCode: isRunning ? 0 : state,
    reason: '',
    message: '',
    image: '',
    imageRef: '',
    logPath: '',
    mounts: [],
    ...more,
  }
}

const healthy: ProbeResults = { hasFailed: () => false, isStarted: () => true, isReady: () => true }

function situation(spec: Partial<PodSpec>, more: Partial<PodSituation> = {}): PodSituation {
  const view = { sandboxes: [], containers: [] }
  return { pod: pod(spec), view, probes: healthy, backoffs: new Map(), holds: new Map(), restartDelays, nowMs, ...more }
}

function summary(action: PodAction): string {
  switch (action.type) {
    case 'startContainer':
      return `start ${action.spec.name}#${action.attempt}`
    case 'killContainer':
      return `kill ${action.container.name} ${action.cause}`
    case 'createSandbox':
      return `sandbox#${action.attempt}`
    case 'stopSandbox':
      return `stopSandbox ${action.sandbox.id}`
    case 'removeContainer':
      return `remove ${action.container.id}`
    case 'removeSandbox':
      return `removeSandbox ${action.id}`
    case 'stopPod':
      return 'stopPod'
  }
}

const init: Container = { name: 'i' }
const sidecar: Container = { name: 's', restartPolicy: 'Always' }
const live = [sandbox('s')]
const rule = { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } }
const restartingAll: Partial<PodSpec> = {
  restartPolicy: 'Never',
  initContainers: [init],
  containers: [{ name: 'c', restartPolicy: 'Never', restartPolicyRules: [rule] }, { name: 'd' }],
}

const cases: readonly [name: string, situation: PodSituation, actions: readonly string[]][] = [
  [
    'a new pod gets all its main containers',
    situation({ containers: [{ name: 'a' }, { name: 'b' }] }),
    ['sandbox#0', 'start a#0', 'start b#0'],
  ],
  ['a new pod begins with its first init container', situation({ initContainers: [init] }), ['sandbox#0', 'start i#0']],
  ['all runs', situation({}, { view: { sandboxes: live, containers: [run('c', 'running')] } }), []],
  [
    'init runs',
    situation({ initContainers: [init] }, { view: { sandboxes: live, containers: [run('i', 'running')] } }),
    [],
  ],
  [
    'init is done',
    situation({ initContainers: [init] }, { view: { sandboxes: live, containers: [run('i', 0)] } }),
    ['start c#0'],
  ],
  [
    'init failed for good',
    situation(
      { initContainers: [init], restartPolicy: 'Never' },
      { view: { sandboxes: live, containers: [run('i', 1)] } },
    ),
    ['stopPod'],
  ],
  [
    'init failed and is tried again',
    situation(
      { initContainers: [init], restartPolicy: 'OnFailure' },
      { view: { sandboxes: live, containers: [run('i', 1)] } },
    ),
    ['start i#1'],
  ],
  [
    'a sidecar that is not started holds up the rest',
    situation(
      { initContainers: [sidecar, init] },
      { view: { sandboxes: live, containers: [run('s', 'running')] }, probes: { ...healthy, isStarted: () => false } },
    ),
    [],
  ],
  [
    'a started sidecar lets the next one begin',
    situation({ initContainers: [sidecar, init] }, { view: { sandboxes: live, containers: [run('s', 'running')] } }),
    ['start i#0'],
  ],
  [
    'a sidecar that ended comes back beside running containers',
    situation(
      { initContainers: [sidecar] },
      { view: { sandboxes: live, containers: [run('c', 'running'), run('s', 0)] } },
    ),
    ['start s#1'],
  ],
  [
    'a crashed container is restarted at once the first time',
    situation({}, { view: { sandboxes: live, containers: [run('c', 1)] } }),
    ['start c#1'],
  ],
  [
    'Never: the pod has finished',
    situation({ restartPolicy: 'Never' }, { view: { sandboxes: live, containers: [run('c', 1)] } }),
    ['stopPod'],
  ],
  [
    'OnFailure: success ends one container, failure restarts the other',
    situation(
      { restartPolicy: 'OnFailure', containers: [{ name: 'a' }, { name: 'b' }] },
      { view: { sandboxes: live, containers: [run('a', 0), run('b', 2)] } },
    ),
    ['start b#1'],
  ],
  [
    'a rule restarts what the policy would not',
    situation(
      {
        restartPolicy: 'Never',
        containers: [
          { name: 'c', restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }] },
        ],
      },
      { view: { sandboxes: live, containers: [run('c', 42)] } },
    ),
    ['start c#1'],
  ],
  [
    'liveness failed',
    situation(
      {},
      {
        view: { sandboxes: live, containers: [run('c', 'running')] },
        probes: { ...healthy, hasFailed: (type) => type === 'liveness' },
      },
    ),
    ['kill c liveness', 'start c#1'],
  ],
  [
    'the image was changed',
    situation(
      { containers: [{ name: 'c', image: 'new' }] },
      { view: { sandboxes: live, containers: [run('c', 'running')] } },
    ),
    ['kill c definition', 'start c#1'],
  ],
  [
    'the sandbox died: everything starts over',
    situation({}, { view: { sandboxes: [sandbox('s', { ready: false })], containers: [run('c', 'running')] } }),
    ['kill c sandbox', 'stopSandbox s', 'sandbox#1', 'start c#1'],
  ],
  [
    'the sandbox died after the pod had finished',
    situation(
      { restartPolicy: 'Never' },
      { view: { sandboxes: [sandbox('s', { ready: false })], containers: [run('c', 0)] } },
    ),
    ['stopPod'],
  ],
  [
    'a probe failed, but the pod never restarts',
    situation(
      { restartPolicy: 'Never' },
      {
        view: { sandboxes: live, containers: [run('c', 'running')] },
        probes: { ...healthy, hasFailed: (type) => type === 'liveness' },
      },
    ),
    ['kill c liveness'],
  ],
  [
    'an end that restarts all: what runs goes first',
    situation(restartingAll, {
      view: { sandboxes: live, containers: [run('d', 'running'), run('c', 42), run('i', 0)] },
    }),
    ['kill d restartAll'],
  ],
  [
    'an end that restarts all: then the pod begins anew in its sandbox',
    situation(restartingAll, { view: { sandboxes: live, containers: [run('d', 137), run('c', 42), run('i', 0)] } }),
    ['start i#1'],
  ],
  [
    'an end that restarts all: the rest follows',
    situation(restartingAll, {
      view: {
        sandboxes: live,
        containers: [
          run('i', 0, { attempt: 1, annotations: { [restartCountAnnotation]: '1' } }),
          run('d', 137),
          run('c', 42),
          run('i', 0),
        ],
      },
    }),
    ['start c#1', 'start d#1'],
  ],
  [
    'another end than the one that restarts all ends the pod',
    situation(restartingAll, { view: { sandboxes: live, containers: [run('d', 0), run('c', 1), run('i', 0)] } }),
    ['stopPod'],
  ],
  [
    'a held container waits',
    situation({}, { view: { sandboxes: live, containers: [] }, holds: new Map([['c', nowMs + 1]]) }),
    [],
  ],
  [
    'only the last dead run is kept',
    situation(
      {},
      {
        view: {
          sandboxes: live,
          containers: [run('c', 'running', { attempt: 3 }), run('c', 1, { attempt: 2 }), run('c', 1, { attempt: 1 })],
        },
      },
    ),
    ['remove c-1'],
  ],
  [
    'an ephemeral container is started once',
    situation(
      { ephemeralContainers: [{ name: 'e' }, { name: 'f' }] },
      { view: { sandboxes: live, containers: [run('c', 'running'), run('e', 0)] } },
    ),
    ['start f#0'],
  ],
]

for (const [name, input, expected] of cases) {
  test(`decide: ${name}`, () => assert.deepEqual(decidePod(input).actions.map(summary), expected))
}

test('decide: a container that crashed again waits out its delay and says how long', () => {
  const backoffs = new Map([['c', { delayMs: 20_000, restartedAtMs: nowMs - 5_000 }]])
  const plan = decidePod(situation({}, { view: { sandboxes: live, containers: [run('c', 1)] }, backoffs }))
  assert.deepEqual([plan.actions, plan.wakeAtMs, plan.backingOff.get('c')], [[], nowMs + 20_000, 20_000])
})
