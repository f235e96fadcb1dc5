import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerStatus, Pod, PodSpec, PodStatus } from '../../../types/core.v1.ts'
import { podCells } from './cells.ts'

const created = '2024-01-01T00:00:00Z'
const nowMs = Date.parse('2024-01-01T00:10:00Z')

function shown(status: PodStatus, spec: Partial<PodSpec> = {}, metadata: object = {}): readonly unknown[] {
  const object: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', uid: 'u', resourceVersion: '1', creationTimestamp: created, ...metadata },
    spec: { containers: [{ name: 'c' }], ...spec },
    status,
  }
  return podCells(object, nowMs).slice(1, 4)
}

function container(state: ContainerStatus['state'], more: Partial<ContainerStatus> = {}): ContainerStatus {
  return { name: 'c', image: '', imageID: '', ready: false, restartCount: 0, state, ...more }
}

const running = container({ running: {} }, { ready: true })
const sidecar = { name: 's', restartPolicy: 'Always' }

const cases: readonly [string, readonly unknown[], readonly unknown[]][] = [
  ['waiting for a node', shown({ phase: 'Pending' }), ['0/1', 'Pending', '0']],
  [
    'held by a gate',
    shown({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }),
    ['0/1', 'SchedulingGated', '0'],
  ],
  ['running', shown({ phase: 'Running', containerStatuses: [running] }), ['1/1', 'Running', '0']],
  [
    'crash loop',
    shown({
      phase: 'Running',
      containerStatuses: [
        container(
          { waiting: { reason: 'CrashLoopBackOff' } },
          { restartCount: 4, lastState: { terminated: { exitCode: 1, finishedAt: '2024-01-01T00:07:00Z' } } },
        ),
      ],
    }),
    ['0/1', 'CrashLoopBackOff', '4 (3m ago)'],
  ],
  [
    'done',
    shown({
      phase: 'Succeeded',
      containerStatuses: [container({ terminated: { exitCode: 0, reason: 'Completed' } })],
    }),
    ['0/1', 'Completed', '0'],
  ],
  [
    'failed without a reason',
    shown({ phase: 'Failed', containerStatuses: [container({ terminated: { exitCode: 2 } })] }),
    ['0/1', 'ExitCode:2', '0'],
  ],
  [
    'killed by a signal',
    shown({ phase: 'Failed', containerStatuses: [container({ terminated: { exitCode: 137, signal: 9 } })] }),
    ['0/1', 'Signal:9', '0'],
  ],
  [
    'first of two init containers',
    shown(
      { phase: 'Pending', initContainerStatuses: [container({ running: {} }, { name: 'i' })] },
      { initContainers: [{ name: 'i' }, { name: 'j' }] },
    ),
    ['0/1', 'Init:0/2', '0'],
  ],
  [
    'init container that fails',
    shown(
      {
        phase: 'Pending',
        initContainerStatuses: [container({ waiting: { reason: 'ErrImagePull' } }, { name: 'i' })],
      },
      { initContainers: [{ name: 'i' }] },
    ),
    ['0/1', 'Init:ErrImagePull', '0'],
  ],
  [
    'sidecar counts as ready',
    shown(
      {
        phase: 'Running',
        initContainerStatuses: [container({ running: {} }, { name: 's', ready: true, started: true })],
        containerStatuses: [running],
      },
      { initContainers: [sidecar] },
    ),
    ['2/2', 'Running', '0'],
  ],
  [
    'one of two has completed',
    shown({
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'False' }],
      containerStatuses: [container({ terminated: { exitCode: 0, reason: 'Completed' } }), running],
    }),
    ['1/1', 'NotReady', '0'],
  ],
  [
    'being deleted',
    shown({ phase: 'Running', containerStatuses: [running] }, {}, { deletionTimestamp: created }),
    ['1/1', 'Terminating', '0'],
  ],
  [
    'on a lost node',
    shown({ phase: 'Running', reason: 'NodeLost' }, {}, { deletionTimestamp: created }),
    ['0/1', 'Unknown', '0'],
  ],
  ['evicted', shown({ phase: 'Failed', reason: 'Evicted' }), ['0/1', 'Evicted', '0']],
]

test('ready, status and restarts', () => {
  for (const [name, actual, expected] of cases) assert.deepEqual(actual, expected, name)
})

test('the wide columns', () => {
  const cells = podCells(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', uid: 'u', resourceVersion: '1', creationTimestamp: created },
      spec: { containers: [], nodeName: 'n1', readinessGates: [{ conditionType: 'a' }, { conditionType: 'b' }] },
      status: { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }], conditions: [{ type: 'a', status: 'True' }] },
    },
    nowMs,
  )
  assert.deepEqual(cells.slice(4), ['10m', '10.0.0.1', 'n1', '<none>', '1/2'])
})
