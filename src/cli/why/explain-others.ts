import { isNodeReady, nodeCondition, formatTaint } from '#api/core/v1/node-facts.ts'
import type { CronJob } from '#api/types/batch.v1.ts'
import type { Namespace, Node, PersistentVolumeClaim } from '#api/types/core.v1.ts'
import { jobs } from '#api/types/resources.ts'
import { isControlledBy } from '#api/meta/owner.ts'
import { claimFinding } from './claim-finding.ts'
import { explainJob } from './explain-workload.ts'
import { readClaim } from './read-pod-facts.ts'
import type { WhyReader } from './why-reader.ts'
import { fine, troubled, type Finding, type WhyReport } from './why-report.ts'
import { workloadFindings } from './workload-findings.ts'

/** Why a claim is not bound. */
export async function explainClaim({ metadata, status }: PersistentVolumeClaim, reader: WhyReader): Promise<WhyReport> {
  const { name, namespace = '', deletionTimestamp, finalizers = [] } = metadata
  const of = { kind: 'PersistentVolumeClaim', namespace, name }
  if (deletionTimestamp !== undefined) return troubled(of, 'it is being deleted', heldBy(finalizers))
  if (status?.phase === 'Bound') return fine(of, 'it is bound')
  const facts = await readClaim(name, namespace, reader)
  const finding = claimFinding(name, facts)
  if (finding) return troubled(of, 'it is not bound', [finding])
  const remedies = ['start a pod that uses it']
  const message = 'its storage class binds claims only once a pod that uses them has a node'
  return troubled(of, 'it is not bound', [{ reason: 'WaitForFirstConsumer', message, remedies }])
}

/** Why a node takes no pods. */
export async function explainNode(node: Node): Promise<WhyReport> {
  const { name } = node.metadata
  const of = { kind: 'Node', name }
  const findings: Finding[] = []
  if (!isNodeReady(node)) {
    const why = nodeCondition(node, 'Ready')?.message ?? 'it has never said that it is ready'
    findings.push({
      reason: 'NodeNotReady',
      message: `it is not ready: ${why}`,
      remedies: [`look at the kubelet of ${name}`],
    })
  }
  if (node.spec.unschedulable === true) {
    findings.push({ reason: 'Cordoned', message: 'it is cordoned', remedies: [`kubectl uncordon ${name}`] })
  }
  for (const type of ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'NetworkUnavailable']) {
    const condition = nodeCondition(node, type)
    if (condition?.status === 'True') {
      findings.push({ reason: type, message: `${type}: ${condition.message ?? ''}`, remedies: [] })
    }
  }
  const taints = (node.spec.taints ?? []).filter(({ key }) => !key.startsWith('node.kubernetes.io/'))
  if (findings.length === 0) {
    const only = taints.length === 0 ? '' : `, for pods that tolerate ${taints.map(formatTaint).join(', ')}`
    return fine(of, `it is ready${only}`)
  }
  return troubled(of, 'it does not take pods as it should', findings)
}

/** Why a namespace does not end. */
export async function explainNamespace({ metadata, spec, status }: Namespace): Promise<WhyReport> {
  const of = { kind: 'Namespace', name: metadata.name }
  if (metadata.deletionTimestamp === undefined) return fine(of, 'it is active')
  const findings = (status?.conditions ?? [])
    .filter((each) => each.status === 'True')
    .map(({ type, message = '' }) => ({
      reason: type,
      message,
      remedies:
        type === 'NamespaceFinalizersRemaining' ? ['let whoever set these finalizers finish, or remove them'] : [],
    }))
  const held = heldBy((spec?.finalizers ?? []).filter((name) => name !== 'kubernetes'))
  return troubled(of, 'it is being deleted', [...findings, ...held])
}

/** Why a CronJob's newest job does not run, or none is made. */
export async function explainCronJob(object: CronJob, reader: WhyReader): Promise<WhyReport> {
  const { metadata, spec } = object
  const { namespace = '', name } = metadata
  const of = { kind: 'CronJob', namespace, name }
  const own = workloadFindings(object, await reader.eventsOf(object))
  if (own.length > 0) return troubled(of, 'it makes no jobs', own)
  const newest = (await reader.list(jobs, namespace))
    .filter((job) => isControlledBy(job, object))
    .sort((a, b) => Date.parse(b.metadata.creationTimestamp ?? '') - Date.parse(a.metadata.creationTimestamp ?? ''))[0]
  if (!newest) return fine(of, `it has made no job yet; its schedule is "${spec?.schedule}"`)
  const below = await explainJob(newest, reader)
  if (below.state === 'fine') return fine(of, `its newest job ${newest.metadata.name}: ${below.summary}`)
  return { ...below, ...of, chain: [`the newest job of cronjob ${name} is ${newest.metadata.name}`, ...below.chain] }
}

function heldBy(finalizers: readonly string[]): readonly Finding[] {
  if (finalizers.length === 0) return []
  const names = finalizers.join(', ')
  const isInUse = finalizers.includes('kubernetes.io/pvc-protection')
  const remedies = isInUse ? ['end the pods that use it'] : [`let whoever set ${names} finish`]
  return [{ reason: 'Finalizers', message: `it is held by its finalizers ${names}`, remedies }]
}
