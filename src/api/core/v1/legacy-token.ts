import type { Secret } from '../../types/core.v1.ts'

/** What is written of service account tokens that live in secrets (documentation page "Managing Service Accounts"). */

export const tokenSecretType = 'kubernetes.io/service-account-token'
/** On which day the server last saw the token. */
export const lastUsedLabel = 'kubernetes.io/legacy-token-last-used'
/** From which day on the server refuses the token. */
export const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since'
/** The ConfigMap in `kube-system` that says, in `since`, from which day on uses have been written down. */
export const tokenTracking = { name: 'kube-apiserver-legacy-service-account-token-tracking', namespace: 'kube-system' }

/** `2026-01-31`, in UTC. */
export function dayOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10)
}

/** When the day that a label of the secret names began; undefined: it names none. */
export function labelledDayMs({ metadata }: Secret, label: string): number | undefined {
  return dayMs(metadata.labels?.[label])
}

export function dayMs(day: string | undefined): number | undefined {
  const ms = day !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}
