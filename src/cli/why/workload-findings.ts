import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '#api/types/apps.v1.ts'
import type { CronJob, Job } from '#api/types/batch.v1.ts'
import type { Event, ReplicationController } from '#api/types/core.v1.ts'
import type { Finding } from './why-report.ts'

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string | undefined
  readonly message?: string | undefined
}

export type Workload = Deployment | ReplicaSet | StatefulSet | DaemonSet | ReplicationController | Job | CronJob

/** What some kinds of workloads have in common. */
interface CommonFields {
  readonly spec?: { readonly paused?: boolean; readonly suspend?: boolean }
  readonly status?: { readonly conditions?: readonly Condition[] }
}

/** What keeps a workload from making the pods that it wants. */
export function workloadFindings(object: Workload, events: readonly Event[]): readonly Finding[] {
  const { kind, metadata } = object
  const { spec, status } = object as CommonFields
  const named = `${kind.toLowerCase()}/${metadata.name}`
  const condition = (type: string, value: string) =>
    status?.conditions?.find((each) => each.type === type && each.status === value)
  const findings: Finding[] = []
  if (spec?.suspend === true) {
    const remedies = [`kubectl patch ${named} -n ${metadata.namespace} --type=merge -p '{"spec":{"suspend":false}}'`]
    findings.push({ reason: 'Suspended', message: 'it is suspended', remedies })
  }
  if (spec?.paused === true) {
    const remedies = [`kubectl rollout resume ${named} -n ${metadata.namespace}`]
    findings.push({ reason: 'Paused', message: 'it is paused: changes of its template wait', remedies })
  }
  const failed = condition('Failed', 'True')
  if (failed)
    findings.push({ reason: failed.reason ?? 'Failed', message: `it has failed: ${failed.message}`, remedies: [] })
  const refused = condition('ReplicaFailure', 'True')?.message ?? newestRefusal(events)
  if (refused !== undefined) findings.push(refusedPods(refused))
  return findings
}

function newestRefusal(events: readonly Event[]): string | undefined {
  const newest = events.find(({ reason }) => reason === 'FailedCreate' || reason === 'SuccessfulCreate')
  return newest?.reason === 'FailedCreate' ? newest.message : undefined
}

/** Pods that the API server does not let in: by a quota, a limit, a policy or a webhook. */
function refusedPods(message: string): Finding {
  const quota = /exceeded quota: ([^,]+), requested: (.*)$/.exec(message)
  if (quota) {
    const remedies = [`raise the limits of resourcequota ${quota[1]}, or end pods that count towards it`]
    return { reason: 'Quota', message: `its pods are refused: ${message}`, remedies }
  }
  const rules: readonly (readonly [pattern: RegExp, reason: string, remedy: string])[] = [
    [
      /failed quota: .*must specify/,
      'Quota',
      'have the containers state requests and limits for what the quota counts',
    ],
    [/violates PodSecurity/, 'PodSecurity', 'correct the security context, or change the level of the namespace'],
    [/(minimum|maximum) .* usage per/, 'LimitRange', 'stay within the limit range of the namespace'],
    [/serviceaccount .* not found/i, 'ServiceAccount', 'create the service account that the pods name'],
    [/failed calling webhook|denied the request/, 'Webhook', 'look at the admission webhook that refuses the pods'],
  ]
  const [, reason, remedy] = rules.find(([pattern]) => pattern.test(message)) ?? []
  const remedies = remedy === undefined ? [] : [remedy]
  return { reason: reason ?? 'FailedCreate', message: `its pods cannot be created: ${message}`, remedies }
}
