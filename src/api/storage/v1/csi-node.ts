import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { duplicate, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { writeNullForEmpty } from '../../meta/write-null.ts'
import type { CSINode } from '../../types/storage.v1.ts'
import { validateDriverName } from './csi-driver.ts'

export const csiNode = defineKind<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  hasGeneration: false,
  prepareForCreate: writeDrivers,
  prepareForUpdate: writeDrivers,
  validate: validateCsiNode,
  cells: ({ metadata, spec }, nowMs) => [
    metadata.name,
    (spec.drivers ?? []).length,
    ageOf(metadata.creationTimestamp, nowMs),
  ],
  requiresResourceVersion: true,
  deleteReturnsObject: true,
})

function writeDrivers(draft: Draft<CSINode>): void {
  writeNullForEmpty((draft.spec ??= { drivers: [] }), 'drivers')
}

function validateCsiNode({ spec }: CSINode): FieldError[] {
  const names = new Set<string>()
  return (spec.drivers ?? []).flatMap(({ name, nodeID }, index) => {
    const path = `spec.drivers[${index}]`
    const errors = validateDriverName(name, `${path}.name`)
    if (nodeID === '') errors.push(required(`${path}.nodeID`))
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name))
    names.add(name)
    return errors
  })
}
