import { validateTolerations } from '../../core/v1/pod/validate-scheduling.ts'
import { validateResourceQuantity } from '../../core/v1/validate-resources.ts'
import { defineKind } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { immutableField, invalidForEach, invalidValue } from '../../meta/field-errors.ts'
import { dnsLabel } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateLabels } from '../../meta/validate-labels.ts'
import type { RuntimeClass } from '../../types/node.v1.ts'

export const runtimeClass = defineKind<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  hasGeneration: false,
  validate: validateRuntimeClass,
  validateUpdate: (now, old) =>
    now.handler === old.handler ? [] : [invalidValue('handler', now.handler, immutableField)],
  cells: ({ metadata, handler }, nowMs) => [metadata.name, handler, ageOf(metadata.creationTimestamp, nowMs)],
  requiresResourceVersion: true,
})

function validateRuntimeClass({ handler, overhead, scheduling }: RuntimeClass): FieldError[] {
  return [
    ...invalidForEach('handler', handler, dnsLabel(handler)),
    ...Object.entries(overhead?.podFixed ?? {}).flatMap(([name, quantity]) =>
      validateResourceQuantity(name, quantity, `overhead.podFixed.limits[${name}]`),
    ),
    ...validateLabels(scheduling?.nodeSelector, 'scheduling.nodeSelector'),
    ...validateTolerations(scheduling?.tolerations, 'scheduling.tolerations'),
  ]
}
