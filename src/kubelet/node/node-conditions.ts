import { formatTime } from '#lib/clock.ts'
import type { NodeCondition } from '#api/types/core.v1.ts'
import type { PressureCondition } from '../eviction/signals.ts'

export interface NodeHealth {
  readonly pressure: ReadonlySet<PressureCondition>
  /** Why pods cannot run; empty when they can. */
  readonly complaints: readonly string[]
}

interface Verdict {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

/** The conditions that the kubelet reports; the time of the last transition is kept while the status stays. */
export function nodeConditions(
  health: NodeHealth,
  known: readonly NodeCondition[],
  nowMs: number,
): readonly NodeCondition[] {
  const time = formatTime(nowMs)
  return verdicts(health).map((verdict) => {
    const before = known.find(({ type }) => type === verdict.type)
    const lastTransitionTime = (before?.status === verdict.status && before.lastTransitionTime) || time
    return { ...verdict, lastHeartbeatTime: time, lastTransitionTime }
  })
}

function verdicts({ pressure, complaints }: NodeHealth): readonly Verdict[] {
  return [
    pressure.has('MemoryPressure')
      ? {
          type: 'MemoryPressure',
          status: 'True',
          reason: 'KubeletHasInsufficientMemory',
          message: 'kubelet has insufficient memory available',
        }
      : {
          type: 'MemoryPressure',
          status: 'False',
          reason: 'KubeletHasSufficientMemory',
          message: 'kubelet has sufficient memory available',
        },
    pressure.has('DiskPressure')
      ? { type: 'DiskPressure', status: 'True', reason: 'KubeletHasDiskPressure', message: 'kubelet has disk pressure' }
      : {
          type: 'DiskPressure',
          status: 'False',
          reason: 'KubeletHasNoDiskPressure',
          message: 'kubelet has no disk pressure',
        },
    pressure.has('PIDPressure')
      ? {
          type: 'PIDPressure',
          status: 'True',
          reason: 'KubeletHasInsufficientPID',
          message: 'kubelet has insufficient PID available',
        }
      : {
          type: 'PIDPressure',
          status: 'False',
          reason: 'KubeletHasSufficientPID',
          message: 'kubelet has sufficient PID available',
        },
    complaints.length > 0
      ? { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: complaints.join(', ') }
      : { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
  ]
}
