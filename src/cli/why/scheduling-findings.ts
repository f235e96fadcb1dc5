import { podCondition } from '#api/core/v1/pod-facts.ts'
import type { PodFacts } from './pod-facts.ts'
import type { Finding } from './why-report.ts'

/** Why a pod has no node: by the scheduler's own account where it can be had, else by the pod's condition. */
export function schedulingFindings(facts: PodFacts): readonly Finding[] {
  const { pod, explanation } = facts
  const gates = pod.spec.schedulingGates ?? []
  if (gates.length > 0) {
    const names = gates.map(({ name }) => name).join(', ')
    const remedies = [`let whoever set ${names} remove it from spec.schedulingGates`]
    return [{ reason: 'SchedulingGates', message: `it is held back by its scheduling gates ${names}`, remedies }]
  }
  const condition = podCondition(pod, 'PodScheduled')
  const message = explanation?.message ?? (condition?.status === 'False' ? condition.message : undefined)
  if (message !== undefined) return [{ reason: 'Unschedulable', message, remedies: remediesOf(facts) }]
  const { schedulerName = 'default-scheduler' } = pod.spec
  if (explanation || schedulerName === 'default-scheduler') return []
  const remedy = `start a scheduler called ${schedulerName}, or have the pod name another one`
  return [
    { reason: 'NoScheduler', message: `no scheduler called ${schedulerName} has looked at it`, remedies: [remedy] },
  ]
}

const maxRemedies = 5

/** What would help on the nearest nodes; the same advice is given once. */
function remediesOf({ explanation, pod }: PodFacts): readonly string[] {
  const nominated = pod.status?.nominatedNodeName
  const room = nominated ? [`wait until the pods that make room on ${nominated} have ended`] : []
  // The same advice for another node is given by the list of nodes.
  const told = new Map<string, string>()
  for (const { node, remedy } of explanation?.nodes ?? []) {
    const advice = remedy?.replaceAll(node, '')
    if (remedy !== undefined && advice !== undefined && !told.has(advice)) told.set(advice, remedy)
  }
  if (told.size > 0 || room.length > 0) return [...room, ...[...told.values()].slice(0, maxRemedies)]
  return explanation?.nodes.length === 0 && !explanation.veto ? ['add a node'] : []
}
