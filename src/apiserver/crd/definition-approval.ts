import type { CustomResourceDefinition, CustomResourceDefinitionCondition } from '#api/types/apiextensions.v1.ts'

const annotation = 'api-approved.kubernetes.io'
const advice = 'see https://github.com/kubernetes/enhancements/pull/1111'

/** What is said of a definition in a group of the Kubernetes project (KEP-1111); undefined for all other groups. */
export function approvalCondition({
  metadata,
  spec,
}: CustomResourceDefinition): CustomResourceDefinitionCondition | undefined {
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(spec.group)) return undefined
  const type = 'KubernetesAPIApprovalPolicyConformant'
  const given = metadata.annotations?.[annotation] ?? ''
  if (given === '') {
    const message = `protected groups must have approval annotation ${JSON.stringify(annotation)}, ${advice}`
    return { type, status: 'False', reason: 'MissingAnnotation', message }
  }
  if (given.startsWith('unapproved')) {
    return { type, status: 'False', reason: 'UnapprovedAnnotation', message: `not approved: ${JSON.stringify(given)}` }
  }
  if (URL.canParse(given) && new URL(given).host !== '') {
    return { type, status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${given}` }
  }
  const wanted = 'with either a URL or a reason starting with "unapproved"'
  const message = `protected groups must have approval annotation ${JSON.stringify(annotation)} ${wanted}, ${advice}`
  return { type, status: 'False', reason: 'InvalidAnnotation', message }
}
