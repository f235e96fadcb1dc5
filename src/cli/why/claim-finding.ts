import type { ClaimFacts } from './pod-facts.ts'
import type { Finding } from './why-report.ts'

/** What is wrong with a claim that a pod waits for; nothing where it is bound or waits for the pod in its turn. */
export function claimFinding(name: string, facts: ClaimFacts | undefined): Finding | undefined {
  const subject = `persistentvolumeclaim "${name}"`
  if (!facts) {
    return { reason: 'MissingClaim', message: `${subject} does not exist`, remedies: [`create ${subject}`] }
  }
  const { claim, isClassMissing, waitsForPod, warning } = facts
  const { storageClassName = '', volumeName = '' } = claim.spec
  if (claim.metadata.deletionTimestamp !== undefined) {
    const message = `${subject} is being deleted`
    return { reason: 'ClaimDeleted', message, remedies: ['wait until it is gone, and create it again'] }
  }
  if (claim.status?.phase === 'Lost') {
    const message = `${subject} has lost its volume ${volumeName}`
    return { reason: 'VolumeLost', message, remedies: [`restore the volume ${volumeName}, or create the claim again`] }
  }
  if (claim.status?.phase === 'Bound' || waitsForPod) return undefined
  if (isClassMissing) {
    return {
      reason: 'MissingStorageClass',
      message: `${subject} wants the storage class "${storageClassName}", which does not exist`,
      remedies: [`create the storage class "${storageClassName}"`],
    }
  }
  const size = claim.spec.resources?.requests?.['storage'] ?? ''
  const wanted = `${size} ${claim.spec.accessModes?.join(',') ?? ''}`.trim()
  const kind = storageClassName === '' ? 'without a storage class' : `of class "${storageClassName}"`
  return {
    reason: 'UnboundClaim',
    message: `${subject} is not bound: no volume ${kind} serves it (${wanted})${warning ? `: ${warning}` : ''}`,
    remedies: [
      `create a persistent volume ${kind} with ${wanted}`,
      ...(storageClassName === '' ? ['or have the claim name a storage class with a provisioner'] : []),
    ],
  }
}
