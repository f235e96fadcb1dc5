import { definePlugin } from '../framework.ts'

/** Pods of higher priority are tried first, and of the same priority those that came first. */
export const prioritySort = definePlugin({
  name: 'PrioritySort',
  queueSort(a, b) {
    const byPriority = (b.pod.spec.priority ?? 0) - (a.pod.spec.priority ?? 0)
    if (byPriority !== 0) return byPriority
    return a.enteredMs === b.enteredMs ? a.sequence - b.sequence : a.enteredMs - b.enteredMs
  },
  helpedBy: () => false,
})
