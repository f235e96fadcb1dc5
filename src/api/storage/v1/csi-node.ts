import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { duplicate, immutableField, invalidForEach, invalidValue, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { writeNullForEmpty } from '../../meta/write-null.ts'
import type { CSINode, CSINodeDriver } from '../../types/storage.v1.ts'
import { validateDriverName } from './csi-driver.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { nonNegative } from '../../meta/check-numbers.ts'
import { qualifiedName } from '../../meta/names.ts'

export const csiNode = defineKind<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  hasGeneration: false,
  prepareForCreate: writeDrivers,
  prepareForUpdate: writeDrivers,
  validate: validateCsiNode,
  validateUpdate: validateCsiNodeUpdate,
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

const maxNodeIdLength = 256

function validateCsiNode({ spec }: CSINode): FieldError[] {
  const names = (spec.drivers ?? []).map(({ name }) => name)
  return (spec.drivers ?? []).flatMap((driver, index) => {
    const path = `spec.drivers[${index}]`
    return [
      ...validateDriverName(driver.name, `${path}.name`),
      ...validateNodeId(driver.nodeID, `${path}.nodeID`),
      ...nonNegative(driver.allocatable?.count, `${path}.allocatable.count`),
      ...(names.indexOf(driver.name) < index ? [duplicate(`${path}.name`, driver.name)] : []),
      ...validateTopologyKeys(driver.topologyKeys ?? [], `${path}.topologyKeys`),
    ]
  })
}

function validateNodeId(id: string, path: string): FieldError[] {
  if (id === '') return [required(path)]
  return id.length > maxNodeIdLength ? [invalidValue(path, id, `must be ${maxNodeIdLength} characters or less`)] : []
}

function validateTopologyKeys(keys: readonly string[], path: string): FieldError[] {
  return keys.flatMap((key, index) => [
    ...(key === '' ? [required(path)] : []),
    ...(keys.indexOf(key) < index ? [duplicate(path, key)] : []),
    ...invalidForEach(path, keys, qualifiedName(key)),
  ])
}

/** What a driver said of a node stays, but for how many volumes it can take. */
function validateCsiNodeUpdate(now: CSINode, old: CSINode): FieldError[] {
  return (old.spec.drivers ?? []).flatMap((before) => {
    const after = (now.spec.drivers ?? []).find(({ name }) => name === before.name)
    if (after === undefined || deepEqual(fixedParts(after), fixedParts(before))) return []
    return [invalidValue('CSINodeDriver', driverForMessage(after), immutableField)]
  })
}

function fixedParts({ nodeID, topologyKeys = [] }: CSINodeDriver): object {
  return { nodeID, topologyKeys }
}

function driverForMessage({ name, nodeID, topologyKeys, allocatable }: CSINodeDriver): object {
  return {
    Name: name,
    NodeID: nodeID,
    TopologyKeys: topologyKeys ?? null,
    Allocatable: allocatable === undefined ? null : { Count: allocatable.count ?? null },
  }
}
