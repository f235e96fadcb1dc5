import { revisionAnnotation } from '#api/apps/v1/deployment-facts.ts'
import type { Deployment, ReplicaSet } from '#api/types/apps.v1.ts'

type Annotations = Readonly<Record<string, string>>

/** Earlier revisions of a ReplicaSet that became the current one again, separated by commas. */
const revisionHistoryAnnotation = 'deployment.kubernetes.io/revision-history'
/** The deployment's `spec.replicas` when the ReplicaSet was last scaled: tells scaling from rolling. */
export const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas'
/** Desired plus surge at that time: proportional scaling starts from it. */
export const maxAnnotation = 'deployment.kubernetes.io/max-replicas'

/** Longest revision history that is kept, in characters. */
const maxHistoryLength = 2_000

/** Annotations of a deployment that are its own and not its ReplicaSets'. */
const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredAnnotation,
  maxAnnotation,
])

export function revisionOf(replicaSet: ReplicaSet): number {
  return Number.parseInt(replicaSet.metadata.annotations?.[revisionAnnotation] ?? '0', 10) || 0
}

/** The number in an annotation, or undefined where there is none. */
export function numberIn(annotations: Annotations | undefined, name: string): number | undefined {
  const value = Number.parseInt(annotations?.[name] ?? '', 10)
  return Number.isNaN(value) ? undefined : value
}

export function copiedAnnotations(deployment: Deployment): Annotations {
  const entries = Object.entries(deployment.metadata.annotations ?? {})
  return Object.fromEntries(entries.filter(([name]) => !notCopied.has(name)))
}

/** What the current ReplicaSet's annotations must become: the deployment's, and the revision it is raised to. */
export function annotationsForCurrent(deployment: Deployment, current: ReplicaSet, revision: number): Annotations {
  const old = current.metadata.annotations ?? {}
  const next: Record<string, string> = { ...old, ...copiedAnnotations(deployment) }
  if (revisionOf(current) >= revision) return next
  next[revisionAnnotation] = String(revision)
  const before = old[revisionAnnotation]
  if (before !== undefined) next[revisionHistoryAnnotation] = extendedHistory(old[revisionHistoryAnnotation], before)
  return next
}

function extendedHistory(history: string | undefined, revision: string): string {
  const revisions = history === undefined || history === '' ? [] : history.split(',')
  revisions.push(revision)
  while (revisions.length > 1 && revisions.join(',').length > maxHistoryLength) revisions.shift()
  return revisions.join(',')
}

/** The members of `next` that differ from `old`: a merge patch, empty when nothing does. */
export function changedAnnotations(old: Annotations | undefined, next: Annotations): Annotations {
  return Object.fromEntries(Object.entries(next).filter(([name, value]) => old?.[name] !== value))
}
