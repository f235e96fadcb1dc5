import type { Draft } from '#api/kind.ts'
import type { Node } from '#api/types/core.v1.ts'
import type { AdmissionPlugin } from './admission.ts'

const key = 'node.kubernetes.io/not-ready'

/** A new node takes no pods until its lifecycle controller has seen it ready. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  resources: ['nodes'],
  operations: ['CREATE'],
  mutate({ object }) {
    const node = object as Draft<Node>
    const spec = (node.spec ??= {})
    if (spec.taints?.some((taint) => taint.key === key && taint.effect === 'NoSchedule')) return
    ;(spec.taints ??= []).push({ key, effect: 'NoSchedule' })
  },
}
