import type { Draft, Kind } from './kind.ts'
import type { KubernetesObject } from './meta/resource.ts'
import type { FieldError } from './meta/status.ts'
import { validateMetadata } from './meta/validate-metadata.ts'

/** What a kind makes of a manifest: how the server would store it, and what it would object to. */
export interface Trial {
  readonly object: KubernetesObject
  readonly errors: readonly FieldError[]
  /** `path: message`, as in the answer of the server. */
  readonly messages: readonly string[]
}

/** The steps of a create that belong to the kind; the namespace is `ns` where the kind has one. */
export function tryCreate(kind: Kind, manifest: object, namespace: string = 'ns'): Trial {
  const metadata = { uid: 'u', creationTimestamp: '2024-01-01T00:00:00Z', ...(namespace !== '' && { namespace }) }
  const given = structuredClone(manifest) as { metadata?: object }
  const draft = {
    apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
    kind: kind.kind,
    ...given,
    metadata: { name: 'x', ...metadata, ...given.metadata },
  } as unknown as Draft<KubernetesObject>
  kind.setDefaults?.(draft)
  kind.prepareForCreate?.(draft)
  const object = draft as unknown as KubernetesObject
  const rules = { namespaced: namespace !== '', ...(kind.nameRule !== undefined && { nameRule: kind.nameRule }) }
  return trial(object, [...validateMetadata(object, rules), ...(kind.validate?.(object) ?? [])])
}

/** The steps of an update that belong to the kind: `change` edits a copy of what `tryCreate` made. */
export function tryUpdate<T extends KubernetesObject>(
  kind: Kind,
  { object: old }: Trial,
  change: (draft: Draft<T>) => void,
): Trial {
  const draft = structuredClone(old) as Draft<KubernetesObject>
  change(draft as unknown as Draft<T>)
  kind.setDefaults?.(draft)
  kind.prepareForUpdate?.(draft, old)
  const object = draft as unknown as KubernetesObject
  const wrong = kind.validatesUpdateAlone === true ? [] : (kind.validate?.(object) ?? [])
  return trial(object, [...wrong, ...(kind.validateUpdate?.(object, old) ?? [])])
}

function trial(object: KubernetesObject, errors: readonly FieldError[]): Trial {
  return { object, errors, messages: errors.map(({ field, message }) => `${field}: ${message}`) }
}
