import type { Draft } from '../kind.ts'
import type { KubernetesObject } from './resource.ts'

/** What an update of the main resource does unless its kind says otherwise: the status stays the old one. */
export function keepStatus<T extends KubernetesObject>(draft: Draft<T>, old: T): void {
  const target = draft as { status?: unknown }
  const { status } = old as { status?: unknown }
  if (status === undefined) delete target.status
  else target.status = structuredClone(status)
}
