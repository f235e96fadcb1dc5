import type { Draft } from '#api/kind.ts'
import { validateEphemeralContainersUpdate, validatePodResize } from '#api/core/v1/pod/validate-pod-parts.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { FieldError } from '#api/meta/status.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { behaviourOf } from './behaviours.ts'
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
    const wrong = rules.validatesUpdateAlone === true ? undefined : rules.validate?.(object)
    return [...(wrong ?? []), ...(rules.validateUpdate?.(object, old) ?? [])]
  },
}

/** PUT and PATCH of `/status`: everything else stays what it was. */
export const statusPart: UpdatePart = {
  keepsUntouched: true,
  prepare(resource, draft, old) {
    if (resource.rules.prepareForStatusUpdate !== undefined) resource.rules.prepareForStatusUpdate(draft, old)
    else keepAllButStatus(draft, old, behaviourOf(resource).beforeUpdate === undefined)
  },
  validate: ({ rules }, object, old) => rules.validateStatusUpdate?.(object, old) ?? [],
}

function copyStatus(draft: Draft<KubernetesObject>, old: KubernetesObject): void {
  const { status } = old as WithStatus<KubernetesObject>
  if (status === undefined) delete (draft as WithStatus<Draft<KubernetesObject>>).status
  else (draft as WithStatus<Draft<KubernetesObject>>).status = deepCopy(status)
}

/**
 * Metadata may change but for the fields that give the object its meaning to others. What stays is shared with the old
 * object, frozen, unless what the kind does before an update may write into it.
 */
function keepAllButStatus(draft: Draft<KubernetesObject>, old: KubernetesObject, shares: boolean): void {
  const fields = draft as unknown as Record<string, unknown>
  const before = old as unknown as Readonly<Record<string, unknown>>
  for (const key of Object.keys(fields))
    if (key !== 'status' && key !== 'metadata' && !(key in before)) delete fields[key]
  for (const key of Object.keys(before)) {
    if (key !== 'status' && key !== 'metadata') fields[key] = shares ? before[key] : deepCopy(before[key])
  }
}

/** `approval` of a CertificateSigningRequest: only its conditions change. */
export const approvalPart: UpdatePart = keepingAllBut((draft, wanted, now) => {
  const status = (wanted as { status?: { conditions?: unknown } }).status
  const target = draft as { status?: Record<string, unknown> }
  const conditions = (status?.conditions ?? []) as readonly object[]
  const timed = conditions.map((condition) => ({ lastUpdateTime: now, lastTransitionTime: now, ...condition }))
  target.status = { ...target.status, ...(timed.length > 0 && { conditions: timed }) }
})

/** `finalize` of a Namespace: only `spec.finalizers` change. */
export const finalizePart: UpdatePart = keepingAllBut((draft, wanted) => {
  const spec = (wanted as { spec?: { finalizers?: unknown } }).spec
  const target = draft as { spec?: Record<string, unknown> }
  const { finalizers: _before, ...rest } = target.spec ?? {}
  target.spec = { ...rest, ...(spec?.finalizers !== undefined && { finalizers: spec.finalizers }) }
})

/** `ephemeralcontainers` of a Pod: only those change. */
export const ephemeralContainersPart: UpdatePart = keepingAllBut((draft, wanted) => {
  const spec = (wanted as { spec?: { ephemeralContainers?: unknown } }).spec
  const target = draft as { spec?: Record<string, unknown> }
  target.spec = { ...target.spec, ephemeralContainers: spec?.ephemeralContainers ?? [] }
}, validateEphemeralContainersUpdate)

interface ResizableContainer {
  readonly name: string
  readonly resources?: unknown
  readonly resizePolicy?: unknown
}

/** `resize` of a Pod: only the resources of its containers change (KEP-1287). */
export const resizePart: UpdatePart = keepingAllBut((draft, wanted) => {
  for (const list of ['containers', 'initContainers'] as const) {
    const spec = (wanted as { spec?: Record<string, readonly ResizableContainer[] | undefined> }).spec
    const target = (draft as { spec?: Record<string, ResizableContainer[] | undefined> }).spec
    const containers = target?.[list]
    if (target === undefined || containers === undefined) continue
    target[list] = containers.map((container) => {
      const asked = spec?.[list]?.find((candidate) => candidate.name === container.name)
      if (asked === undefined) return container
      return {
        ...container,
        resources: asked.resources ?? {},
        ...(asked.resizePolicy !== undefined && { resizePolicy: asked.resizePolicy }),
      }
    })
  }
}, validatePodResize)

/** A part in which everything stays what it was, but for what `take` copies from the wanted object. */
function keepingAllBut(
  take: (draft: object, wanted: object, now: string) => void,
  validate?: (pod: Pod, old: Pod) => FieldError[],
): UpdatePart {
  return {
    prepare(_resource, draft, old, now) {
      const wanted = { ...draft }
      const fields = draft as unknown as Record<string, unknown>
      for (const key of Object.keys(fields)) delete fields[key]
      Object.assign(fields, deepCopy(old))
      take(fields, wanted, now)
    },
    validate: ({ rules }, object, old) =>
      validate === undefined ? (rules.validateStatusUpdate?.(object, old) ?? []) : validate(object as Pod, old as Pod),
  }
}
