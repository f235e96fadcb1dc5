import type { Draft } from '#api/kind.ts'
import { validateEphemeralContainersUpdate, validatePodResize } from '#api/core/v1/pod/validate-pod-parts.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { FieldError } from '#api/meta/status.ts'
import { validateFinalize } from '#api/core/v1/namespace.ts'
import type { Namespace, Pod } from '#api/types/core.v1.ts'
import { behaviourOf } from './behaviours.ts'
import { deepCopy } from './deep-copy.ts'
import type { UpdatePart } from './update-object.ts'

type WithStatus<T> = T & { status?: unknown }

/** PUT and PATCH of the object itself: `status` stays what it was where it has an endpoint of its own. */
export const mainPart: UpdatePart = {
  warns: true,
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
  prepare(resource, draft, old, now) {
    if (resource.rules.prepareForStatusUpdate !== undefined) resource.rules.prepareForStatusUpdate(draft, old, now)
    else keepAllButStatus(draft, old, behaviourOf(resource).beforeUpdate === undefined)
    if (resource.group === 'apps' && resource.plural === 'deployments') keepLabels(draft, old)
  },
  validate: ({ rules }, object, old, nowMs) => rules.validateStatusUpdate?.(object, old, nowMs) ?? [],
}

/** The status of a Deployment leaves its labels alone, alone among the kinds. */
function keepLabels({ metadata }: Draft<KubernetesObject>, old: KubernetesObject): void {
  const { labels } = old.metadata
  if (labels === undefined) delete metadata.labels
  else metadata.labels = { ...labels }
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
export const finalizePart: UpdatePart = keepingAllBut(
  (draft, wanted) => {
    const spec = (wanted as { spec?: { finalizers?: unknown } }).spec
    const target = draft as { spec?: Record<string, unknown> }
    const { finalizers: _before, ...rest } = target.spec ?? {}
    target.spec = { ...rest, ...(spec?.finalizers !== undefined && { finalizers: spec.finalizers }) }
  },
  (namespace) => validateFinalize(namespace as Namespace),
)

/** `ephemeralcontainers` of a Pod: only those change. */
export const ephemeralContainersPart: UpdatePart = keepingAllBut(
  (draft, wanted) => {
    const spec = (wanted as { spec?: { ephemeralContainers?: unknown } }).spec
    const target = draft as { spec?: Record<string, unknown> }
    target.spec = { ...target.spec, ephemeralContainers: spec?.ephemeralContainers ?? [] }
  },
  (pod, old) => validateEphemeralContainersUpdate(pod as Pod, old as Pod),
)

/** `resize` of a Pod: only the resources change (KEP-1287). Other containers than before are for validation to refuse. */
export const resizePart: UpdatePart = keepingAllBut(
  (draft, wanted) => {
    const asked = (wanted as { spec?: PodParts }).spec ?? {}
    const target = (draft as { spec: PodParts }).spec
    const isSame = containerLists.every((list) => {
      const names = (parts: PodParts): string => JSON.stringify((parts[list] ?? []).map(({ name }) => name))
      return names(asked) === names(target)
    })
    for (const list of containerLists) {
      const resized = isSame
        ? target[list]?.map((container, index) => resizedLike(container, asked[list]?.[index]))
        : asked[list]
      if (resized !== undefined) target[list] = resized
    }
    if (asked.resources === undefined) delete target.resources
    else target.resources = asked.resources
  },
  (pod, old) => validatePodResize(pod as Pod, old as Pod),
)

const containerLists = ['containers', 'initContainers'] as const

interface ResizableContainer {
  readonly name: string
  readonly resources?: unknown
  readonly resizePolicy?: unknown
}

interface PodParts {
  containers?: readonly ResizableContainer[]
  initContainers?: readonly ResizableContainer[]
  resources?: unknown
}

function resizedLike(container: ResizableContainer, asked: ResizableContainer | undefined): ResizableContainer {
  const { resizePolicy: _, ...rest } = container
  const policy = asked?.resizePolicy
  return { ...rest, resources: asked?.resources ?? {}, ...(policy !== undefined && { resizePolicy: policy }) }
}

/** A part in which everything stays what it was, but for what `take` copies from the wanted object. */
function keepingAllBut(
  take: (draft: object, wanted: object, now: string) => void,
  validate?: (object: KubernetesObject, old: KubernetesObject) => FieldError[],
): UpdatePart {
  return {
    prepare(_resource, draft, old, now) {
      const wanted = { ...draft }
      const fields = draft as unknown as Record<string, unknown>
      for (const key of Object.keys(fields)) delete fields[key]
      Object.assign(fields, deepCopy(old))
      take(fields, wanted, now)
    },
    validate: ({ rules }, object, old, nowMs) =>
      validate === undefined ? (rules.validateStatusUpdate?.(object, old, nowMs) ?? []) : validate(object, old),
  }
}
