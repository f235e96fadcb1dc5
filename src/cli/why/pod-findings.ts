import { isNodeReady, nodeCondition } from '#api/core/v1/node-facts.ts'
import { allContainers, isPodBound, isPodReady, podCondition, terminationGraceSeconds } from '#api/core/v1/pod-facts.ts'
import { ageOf } from '#api/meta/duration.ts'
import { claimFinding } from './claim-finding.ts'
import { containerFindings } from './container-findings.ts'
import { deviceFindings, preparationFindings } from './device-findings.ts'
import { newestEvent, type PodFacts } from './pod-facts.ts'
import { schedulingFindings } from './scheduling-findings.ts'
import type { Finding } from './why-report.ts'

type Look = (facts: PodFacts) => readonly Finding[]

/** What stands in the way of a pod, the first things first. A pod that runs and is ready has no findings. */
export function podFindings(facts: PodFacts): readonly Finding[] {
  if (facts.pod.metadata.deletionTimestamp !== undefined) return ending(facts)
  return (isPodBound(facts.pod) ? onItsNode : beforeItsNode).flatMap((look) => look(facts))
}

const beforeItsNode: readonly Look[] = [claims, deviceFindings, schedulingFindings]

const onItsNode: readonly Look[] = [
  failed,
  nodeTrouble,
  missingObjects,
  mounts,
  preparationFindings,
  sandbox,
  containerFindings,
  readiness,
]

/** A pod that is being deleted: who still holds it. */
function ending({ pod, node, nowMs }: PodFacts): readonly Finding[] {
  const { finalizers = [], deletionTimestamp, name, namespace } = pod.metadata
  const since = ageOf(deletionTimestamp, nowMs)
  const findings: Finding[] = []
  if (finalizers.length > 0) {
    findings.push({
      reason: 'Finalizers',
      message: `it is being deleted, and held by its finalizers ${finalizers.join(', ')}`,
      remedies: [
        `let whoever set ${finalizers.join(', ')} finish`,
        `kubectl patch pod ${name} -n ${namespace} --type=merge -p '{"metadata":{"finalizers":null}}'`,
      ],
    })
  }
  const isLate = nowMs > Date.parse(deletionTimestamp ?? '') + 10_000
  if (!isPodBound(pod) || !isLate || finalizers.length > 0) return findings
  const where = pod.spec.nodeName
  if (node !== 'unreadable' && (!node || !isNodeReady(node))) {
    const state = node ? 'is not ready' : 'does not exist'
    return [
      {
        reason: 'NodeGone',
        message: `it should have ended ${since} ago, but its node ${where} ${state} and cannot say so`,
        remedies: [`bring ${where} back`, `kubectl delete pod ${name} -n ${namespace} --force --grace-period=0`],
      },
    ]
  }
  const grace = terminationGraceSeconds(pod)
  const message = `it should have ended ${since} ago, after a grace period of ${grace}s; its containers do not stop`
  return [{ reason: 'Terminating', message, remedies: [`look at the kubelet of ${where}`] }]
}

function failed({ pod }: PodFacts): readonly Finding[] {
  if (pod.status?.phase !== 'Failed') return []
  const { reason, message } = pod.status
  if (reason === undefined) return []
  const remedies = reason === 'Evicted' ? ['give the pod requests that fit its use, or the node more room'] : []
  return [{ reason, message: message ?? `it failed: ${reason}`, remedies }]
}

function claims(facts: PodFacts): readonly Finding[] {
  return [...facts.claims].flatMap(([name, claim]) => claimFinding(name, claim) ?? [])
}

function nodeTrouble({ pod, node }: PodFacts): readonly Finding[] {
  const name = pod.spec.nodeName
  if (!node)
    return [{ reason: 'NodeGone', message: `its node ${name} does not exist`, remedies: [`add ${name} again`] }]
  if (node === 'unreadable' || isNodeReady(node)) return []
  const ready = nodeCondition(node, 'Ready')
  const why = ready?.message ?? 'it has never said that it is ready'
  const remedies = [`look at the kubelet of ${name}: kubectl describe node ${name}`]
  return [{ reason: 'NodeNotReady', message: `its node ${name} is not ready: ${why}`, remedies }]
}

function missingObjects({ missing }: PodFacts): readonly Finding[] {
  return missing.map((what) => ({
    reason: 'MissingReference',
    message: `it refers to ${what}, which does not exist`,
    remedies: [`create ${what}`, 'or mark the reference as optional'],
  }))
}

function mounts(facts: PodFacts): readonly Finding[] {
  const event = newestEvent(facts, 'FailedMount', 'FailedAttachVolume', 'FailedMapVolume')
  if (!event || isStarted(facts) || facts.missing.length > 0) return []
  return [{ reason: 'Volumes', message: `its volumes cannot be mounted: ${event.message ?? ''}`, remedies: [] }]
}

function sandbox(facts: PodFacts): readonly Finding[] {
  const event = newestEvent(facts, 'FailedCreatePodSandBox')
  if (!event || isStarted(facts)) return []
  const message = `its sandbox cannot be made: ${event.message ?? ''}`
  return [
    { reason: 'Sandbox', message, remedies: [`look at the network and the runtime of ${facts.pod.spec.nodeName}`] },
  ]
}

function isStarted({ pod }: PodFacts): boolean {
  return (pod.status?.containerStatuses ?? []).some(({ state }) => state?.running || state?.terminated)
}

/** It runs, but nobody may send it requests. */
function readiness(facts: PodFacts): readonly Finding[] {
  const { pod } = facts
  if (pod.status?.phase !== 'Running' || isPodReady(pod)) return []
  const statuses = pod.status.containerStatuses ?? []
  const unready = statuses.filter(({ ready, state }) => !ready && state?.running).map(({ name }) => name)
  const probed = allContainers(pod.spec).filter(
    ({ name, readinessProbe, startupProbe }) => unready.includes(name) && (readinessProbe ?? startupProbe),
  )
  if (probed.length > 0) {
    const event = newestEvent(facts, 'Unhealthy')
    const said = event?.message === undefined ? '' : `: ${event.message}`
    const names = probed.map(({ name }) => name).join(', ')
    const message = `it runs, but the probe of container ${names} fails${said}`
    return [{ reason: 'NotReady', message, remedies: [`kubectl logs ${pod.metadata.name} -c ${probed[0]?.name}`] }]
  }
  const gates = (pod.spec.readinessGates ?? [])
    .map(({ conditionType }) => conditionType)
    .filter((type) => podCondition(pod, type)?.status !== 'True')
  if (gates.length === 0) return []
  const message = `it runs, but its readiness gates ${gates.join(', ')} are not met`
  return [{ reason: 'ReadinessGates', message, remedies: ['look at the controller that sets these conditions'] }]
}
