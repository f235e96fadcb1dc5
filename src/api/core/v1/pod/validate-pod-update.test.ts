import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../../kind.ts'
import { tryCreate, tryUpdate } from '../../../kind-trial.case.ts'
import { short } from '../../../short-messages.case.ts'
import type { Pod } from '../../../types/core.v1.ts'
import { pod } from './pod.ts'

const containers = [{ name: 'c', image: 'x:1' }]
const gated = { schedulingGates: [{ name: 'a' }] }
const tolerated = { tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }] }

function changed(before: object, after: object): readonly string[] {
  const created = tryCreate(pod, { spec: { containers, ...before } })
  const { messages } = tryUpdate<Pod>(pod, created, (draft) => void Object.assign(draft.spec, after))
  return short(messages)
}

test('what may change of a pod, and how', () => {
  const cases: readonly [object, object, readonly string[]][] = [
    [
      gated,
      { schedulingGates: [{ name: 'a' }, { name: 'b' }] },
      ["spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b'"],
    ],
    [gated, { schedulingGates: [] }, []],
    [gated, { nodeSelector: { a: 'b' } }, []],
    [
      { ...gated, nodeSelector: { a: 'b' } },
      { nodeSelector: { a: 'c' } },
      [
        'spec.nodeSelector: Invalid value: {"a":"c"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
      ],
    ],
    [tolerated, { tolerations: [{ ...tolerated.tolerations[0], tolerationSeconds: 6 }] }, []],
    [
      tolerated,
      { tolerations: [] },
      ['spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds'],
    ],
    [{ terminationGracePeriodSeconds: -1 }, { terminationGracePeriodSeconds: 1 }, []],
    [
      { activeDeadlineSeconds: 5 },
      { activeDeadlineSeconds: undefined },
      ['spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value'],
    ],
    [
      {},
      { containers: [{ name: 'c', image: '' }] },
      ['spec.containers[0].image: Required value', 'spec.containers[0].image: Required value'],
    ],
  ]
  for (const [before, after, expected] of cases) assert.deepEqual(changed(before, after), expected)
})

function reported(spec: object, before: object, after: object): readonly string[] {
  const old = { ...tryCreate(pod, { spec: { containers, ...spec } }).object, status: before } as Pod
  const draft = structuredClone({ ...old, status: after }) as unknown as Draft<Pod>
  pod.prepareForStatusUpdate?.(draft as never, old, '')
  const errors = pod.validateStatusUpdate?.(draft as unknown as Pod, old, 0) ?? []
  return short(errors.map(({ field, message }) => `${field}: ${message}`))
}

test('what may be reported of a pod', () => {
  const over = { containerStatuses: [{ name: 'c', state: { terminated: { exitCode: 1 } } }] }
  const running = { containerStatuses: [{ name: 'c', state: { running: {} } }] }
  const cases: readonly [object, object, object, readonly string[]][] = [
    [{}, over, running, []],
    [
      { restartPolicy: 'Never' },
      over,
      running,
      ['status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state'],
    ],
    [
      {},
      { qosClass: 'BestEffort' },
      { qosClass: 'Burstable' },
      ['status.qosClass: Invalid value: "Burstable": field is immutable'],
    ],
    [
      {},
      {},
      { podIPs: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }] },
      [
        'status.podIPs: Invalid value: [{"IP":"10.0.0.1"},{"IP":"10.0.0.2"}]: may specify no more than one IP for each IP family',
      ],
    ],
    [
      {},
      {},
      { nominatedNodeName: 'A_' },
      ['status.nominatedNodeName: Invalid value: "A_": (lowercase RFC 1123 subdomain)'],
    ],
  ]
  for (const [spec, before, after, expected] of cases) assert.deepEqual(reported(spec, before, after), expected)
})
