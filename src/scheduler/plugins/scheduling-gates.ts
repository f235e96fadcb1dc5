import { definePlugin } from '../framework.ts'

/** Pods wait outside of the queue while they have scheduling gates (KEP-3521). */
export const schedulingGates = definePlugin({
  name: 'SchedulingGates',
  preEnqueue(pod) {
    const gates = pod.spec.schedulingGates ?? []
    if (gates.length === 0) return undefined
    const names = gates.map(({ name }) => name).join(' ')
    return { plugin: 'SchedulingGates', reason: `waiting for scheduling gates: [${names}]` }
  },
})
