import { defineKind } from '../../kind.ts'
import { nameAndAge } from '../../meta/cells.ts'
import type { ServiceAccount } from '../../types/core.v1.ts'

export const serviceAccount = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  hasGeneration: false,
  warnings: ({ metadata }, old) => mountWarnings(metadata.annotations, old?.metadata.annotations),
  cells: nameAndAge,
  deleteReturnsObject: true,
})

const mountableAnnotation = 'kubernetes.io/enforce-mountable-secrets'

/** Said when the annotation is set, not as long as it stays. */
function mountWarnings(
  annotations: Readonly<Record<string, string>> | undefined,
  old: Readonly<Record<string, string>> | undefined,
): readonly string[] {
  if (annotations?.[mountableAnnotation] === undefined || old?.[mountableAnnotation] !== undefined) return []
  const advice = 'prefer separate namespaces to isolate access to mounted secrets'
  return [`metadata.annotations[${mountableAnnotation}]: deprecated in v1.32+; ${advice}`]
}
