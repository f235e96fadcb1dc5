import { isPodBound, isPodReady } from '#api/core/v1/pod-facts.ts'
import { ageOfPod } from './container-findings.ts'
import type { PodFacts } from './pod-facts.ts'
import { podFindings } from './pod-findings.ts'
import { fine, troubled, type WhyReport } from './why-report.ts'

const maxNodes = 10

/** Why a pod does not run, or that it does. */
export function explainPod(facts: PodFacts): WhyReport {
  const { pod, explanation, notes } = facts
  const { name, namespace = '', deletionTimestamp } = pod.metadata
  const of = { kind: 'Pod', namespace, name }
  const findings = podFindings(facts)
  const phase = pod.status?.phase
  if (phase === 'Succeeded' && deletionTimestamp === undefined) return fine(of, 'it has done its work and ended')
  if (findings.length === 0 && deletionTimestamp === undefined && phase === 'Running' && isPodReady(pod)) {
    return fine(of, `it runs on ${pod.spec.nodeName} and is ready`)
  }
  const nodes = isPodBound(pod) ? [] : (explanation?.nodes ?? []).slice(0, maxNodes)
  return troubled(of, summaryOf(facts, findings.length > 0), findings, { nodes, notes, chain: [placeOf(facts)] })
}

function summaryOf({ pod }: PodFacts, isStuck: boolean): string {
  if (pod.metadata.deletionTimestamp !== undefined) return isStuck ? 'it is to go but does not' : 'it is about to end'
  if (pod.status?.phase === 'Failed') return 'it has failed'
  if (!isPodBound(pod)) return isStuck ? 'it has no node' : 'it is about to get a node'
  if (pod.status?.phase === 'Running') return isStuck ? 'it is not well' : 'it runs but is not ready yet'
  return isStuck ? 'it does not start' : 'it is starting'
}

function placeOf(facts: PodFacts): string {
  const { pod } = facts
  const { name, deletionTimestamp } = pod.metadata
  if (deletionTimestamp !== undefined) return `pod ${name} is being deleted`
  const since = `since ${ageOfPod(facts)}`
  return isPodBound(pod)
    ? `pod ${name} is on node ${pod.spec.nodeName} ${since}`
    : `pod ${name} waits for a node ${since}`
}
