import { newestEvent, type PodFacts } from './pod-facts.ts'
import type { Finding } from './why-report.ts'

/** What a pod's claims for devices lack before the scheduler can look for any. */
export function deviceFindings({ deviceClaims }: PodFacts): readonly Finding[] {
  return deviceClaims.flatMap((facts) => {
    const { templateName, claimName, isClaimMissing, isTemplateMissing, missingClasses } = facts
    const template = `resourceclaimtemplate "${templateName}"`
    if (isTemplateMissing) {
      const message = `its claim ${facts.reference} is made from ${template}, which does not exist`
      return [{ reason: 'MissingTemplate', message, remedies: [`create ${template}`] }]
    }
    const claim = `resourceclaim "${claimName}"`
    if (isClaimMissing && claimName !== undefined) {
      return [{ reason: 'MissingClaim', message: `${claim} does not exist`, remedies: [`create ${claim}`] }]
    }
    return missingClasses.map((name) => {
      const message = `${claim} asks for devices of the class "${name}", which does not exist`
      return { reason: 'MissingDeviceClass', message, remedies: [`create the device class "${name}"`] }
    })
  })
}

/** The drivers of a pod's devices do not make them ready. */
export function preparationFindings(facts: PodFacts): readonly Finding[] {
  const event = newestEvent(facts, 'FailedPrepareDynamicResources')
  const isStarted = (facts.pod.status?.containerStatuses ?? []).some(({ state }) => state?.running ?? state?.terminated)
  if (!event || isStarted) return []
  const message = `its devices cannot be made ready: ${event.message ?? ''}`
  return [{ reason: 'Devices', message, remedies: [`look at the drivers of ${facts.pod.spec.nodeName}`] }]
}
