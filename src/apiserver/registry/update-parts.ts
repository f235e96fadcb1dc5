import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { deepCopy } from './deep-copy.ts'
import type { UpdatePart } from './update-object.ts'

type WithStatus<T> = T & { status?: unknown }

/** PUT and PATCH of the object itself: `status` stays what it was where it has an endpoint of its own. */
export const mainPart: UpdatePart = {
  prepare(resource, draft, old) {
    if (resource.rules.prepareForUpdate !== undefined) resource.rules.prepareForUpdate(draft, old)
    else if (resource.subresources.has('status')) copyStatus(draft, old)
  },
  validate({ rules }, object, old) {
    return [...(rules.validate?.(object) ?? []), ...(rules.validateUpdate?.(object, old) ?? [])]
  },
}

/** PUT and PATCH of `/status`: everything else stays what it was. */
export const statusPart: UpdatePart = {
  prepare(resource, draft, old) {
    if (resource.rules.prepareForStatusUpdate !== undefined) resource.rules.prepareForStatusUpdate(draft, old)
    else keepAllButStatus(draft, old)
  },
  validate: ({ rules }, object, old) => rules.validateStatusUpdate?.(object, old) ?? [],
}

function copyStatus(draft: Draft<KubernetesObject>, old: KubernetesObject): void {
  const { status } = old as WithStatus<KubernetesObject>
  if (status === undefined) delete (draft as WithStatus<Draft<KubernetesObject>>).status
  else (draft as WithStatus<Draft<KubernetesObject>>).status = deepCopy(status)
}

/** Metadata may change but for the fields that give the object its meaning to others. */
function keepAllButStatus(draft: Draft<KubernetesObject>, old: KubernetesObject): void {
  const fields = draft as unknown as Record<string, unknown>
  const before = old as unknown as Readonly<Record<string, unknown>>
  for (const key of Object.keys(fields))
    if (key !== 'status' && key !== 'metadata' && !(key in before)) delete fields[key]
  for (const key of Object.keys(before)) if (key !== 'status' && key !== 'metadata') fields[key] = deepCopy(before[key])
}
