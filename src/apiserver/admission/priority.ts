import type { Draft } from '#api/kind.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { priorityClasses } from '#api/types/resources.ts'
import type { PriorityClass } from '#api/types/scheduling.v1.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { refuse } from './refuse.ts'

/** Turns the priority class of a pod into its priority, and keeps the default class unique. */
export const priority: AdmissionPlugin = {
  name: 'Priority',
  resources: ['pods', 'scheduling.k8s.io/priorityclasses'],
  operations: ['CREATE', 'UPDATE'],
  mutate(request, { reader }) {
    if (request.info.resource !== 'pods') return
    if (request.operation === 'CREATE') resolvePriority(request, reader)
    else keepPriority(request)
  },
  validate(request, { reader }) {
    const wanted = request.object as PriorityClass | undefined
    if (request.info.resource !== 'priorityclasses' || !wanted?.globalDefault) return
    const other = reader
      .list(priorityClasses)
      .find((kept) => kept.globalDefault && kept.metadata.name !== wanted.metadata.name)
    if (other === undefined) return
    throw refuse(
      request,
      `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`,
    )
  },
}

function keepPriority({ object, oldObject }: AdmissionRequest): void {
  const spec = (object as Draft<Pod>).spec
  const old = (oldObject as Pod).spec
  if (spec === undefined || old === undefined) return
  if (spec.priority === undefined && old.priority !== undefined) spec.priority = old.priority
  if (spec.preemptionPolicy === undefined && old.preemptionPolicy !== undefined)
    spec.preemptionPolicy = old.preemptionPolicy
}

function resolvePriority(request: AdmissionRequest, reader: ObjectReader): void {
  const spec = (request.object as Draft<Pod>).spec
  if (spec === undefined) return
  const found = spec.priorityClassName ? reader.get(priorityClasses, spec.priorityClassName) : defaultClass(reader)
  if (spec.priorityClassName && found === undefined) {
    throw refuse(request, `no PriorityClass with name ${spec.priorityClassName} was found`)
  }
  if (found !== undefined) spec.priorityClassName = found.metadata.name
  const value = found?.value ?? 0
  const policy = found?.preemptionPolicy ?? 'PreemptLowerPriority'
  const computed = 'priority admission controller computed'
  if (spec.priority !== undefined && spec.priority !== value) {
    throw refuse(
      request,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; ${computed} ${value} from the given PriorityClass name`,
    )
  }
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    throw refuse(
      request,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; ${computed} ${policy} from the given PriorityClass name`,
    )
  }
  spec.priority = value
  spec.preemptionPolicy = policy
}

/** The lowest of the default classes, should there be several. */
function defaultClass(reader: ObjectReader): PriorityClass | undefined {
  return reader
    .list(priorityClasses)
    .filter((kept) => kept.globalDefault)
    .toSorted((a, b) => (a.value ?? 0) - (b.value ?? 0))[0]
}
