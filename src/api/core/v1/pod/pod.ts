import { defineKind } from '../../../kind.ts'
import type { Draft } from '../../../kind.ts'
import { writeNull } from '../../../meta/write-null.ts'
import type { Pod, PodCondition, PodStatus } from '../../../types/core.v1.ts'
import { computePodQosClass } from '../pod-qos.ts'
import { podCells } from './cells.ts'
import { setPodDefaults } from './defaults.ts'
import { rememberingFaultless } from './faultless-pods.ts'
import { mergeLabelKeys, mirrorAppArmor } from './prepare-pod.ts'
import { prepareStatusUpdate } from './prepare-pod-status.ts'
import { validateNewPod } from './validate-pod.ts'
import { validatePodStatusUpdate } from './validate-pod-status.ts'
import { validatePodUpdate } from './validate-pod-update.ts'
import { podSpecWarnings, podWarnings } from './warnings.ts'

const judge = rememberingFaultless({ validate: validateNewPod, warn: podSpecWarnings })

export const pod = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  hasGeneration: true,
  setDefaults(draft) {
    setPodDefaults(draft)
    mirrorPodIp(draft.status)
    for (const condition of draft.status?.conditions ?? []) writeNull(condition, 'lastProbeTime', 'lastTransitionTime')
  },
  prepareForCreate(draft) {
    mergeLabelKeys(draft)
    mirrorAppArmor(draft)
    const gated = (draft.spec.schedulingGates ?? []).length > 0
    draft.status = {
      phase: 'Pending',
      ...(gated && { conditions: [gatedCondition(draft)] }),
      qosClass: computePodQosClass(draft.spec as Pod['spec']),
    }
  },
  prepareForStatusUpdate: prepareStatusUpdate,
  validate: judge.validate,
  validateUpdate: validatePodUpdate,
  validatesUpdateAlone: true,
  validateStatusUpdate: validatePodStatusUpdate,
  warnings: (pod, old) => podWarnings(pod, old, judge.warn),
  cells: podCells,
  selectableFields: ({ spec, status }) => ({
    'spec.nodeName': spec.nodeName ?? '',
    'spec.restartPolicy': spec.restartPolicy ?? '',
    'spec.schedulerName': spec.schedulerName ?? '',
    'spec.serviceAccountName': spec.serviceAccountName ?? '',
    'spec.hostNetwork': String(spec.hostNetwork ?? false),
    'status.phase': status?.phase ?? '',
    'status.podIP': status?.podIPs?.[0]?.ip ?? '',
    'status.nominatedNodeName': status?.nominatedNodeName ?? '',
  }),
  deleteReturnsObject: true,
  gracePeriodSeconds: deletionGraceSeconds,
})

/** A pod that no kubelet runs, or that is done, goes at once; a negative grace period means one second. */
function deletionGraceSeconds({ spec, status }: Pod, requestedSeconds?: number): number {
  const bound = spec.nodeName !== undefined && spec.nodeName !== ''
  if (!bound || status?.phase === 'Succeeded' || status?.phase === 'Failed') return 0
  const seconds = requestedSeconds ?? spec.terminationGracePeriodSeconds ?? 0
  return seconds < 0 ? 1 : seconds
}

function gatedCondition(draft: Draft<Pod>): PodCondition {
  const condition: PodCondition = {
    type: 'PodScheduled',
    status: 'False',
    lastTransitionTime: draft.metadata.creationTimestamp,
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  }
  writeNull(condition, 'lastProbeTime', 'lastTransitionTime')
  return condition
}

/** `podIP` is the first of `podIPs`; where they differ the older field counts. */
function mirrorPodIp(status: Draft<PodStatus> | undefined): void {
  if (status === undefined) return
  const { podIP = '', podIPs = [] } = status
  if (podIP !== '' && podIP !== podIPs[0]?.ip) status.podIPs = [{ ip: podIP }]
  else if (podIP === '' && podIPs[0] !== undefined) status.podIP = podIPs[0].ip
}
