import { defineKind } from '../../kind.ts'
import { nameAndAge } from '../../meta/cells.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { ageOf } from '../../meta/duration.ts'
import { immutableField, invalidValue } from '../../meta/field-errors.ts'
import type { ResourceClaim, ResourceClaimTemplate } from '../../types/resource.v1.ts'
import { setClaimSpecDefaults } from './device-defaults.ts'
import { prepareClaimStatus } from './prepare-claim-status.ts'
import { validateClaimSpec } from './validate-claim.ts'
import { validateClaimStatus } from './validate-claim-status.ts'

export const resourceClaim = defineKind<ResourceClaim>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  hasGeneration: false,
  setDefaults: (draft) => setClaimSpecDefaults((draft.spec ??= {})),
  prepareForCreate: (draft) => void (draft.status = {}),
  prepareForStatusUpdate: prepareClaimStatus,
  validate: ({ spec }) => validateClaimSpec(spec, 'spec'),
  validatesUpdateAlone: true,
  validateStatusUpdate: validateClaimStatus,
  validateUpdate: (now, old) => (deepEqual(now.spec, old.spec) ? [] : [invalidValue('spec', now.spec, immutableField)]),
  cells: (claim, nowMs) => [claim.metadata.name, stateCell(claim), ageOf(claim.metadata.creationTimestamp, nowMs)],
  deleteReturnsObject: true,
})

export const resourceClaimTemplate = defineKind<ResourceClaimTemplate>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  hasGeneration: false,
  setDefaults({ spec }) {
    if (spec !== undefined) setClaimSpecDefaults((spec.spec ??= {}))
  },
  validate: ({ spec }) => validateClaimSpec(spec.spec, 'spec.spec'),
  validatesUpdateAlone: true,
  validateUpdate: (now, old) => (deepEqual(now.spec, old.spec) ? [] : [invalidValue('spec', now.spec, immutableField)]),
  cells: nameAndAge,
  deleteReturnsObject: true,
})

function stateCell({ metadata, status }: ResourceClaim): string {
  const states: string[] = []
  if (metadata.deletionTimestamp !== undefined) states.push('deleted')
  if (status?.allocation === undefined) {
    if (metadata.deletionTimestamp === undefined) states.push('pending')
    return states.join(',')
  }
  states.push('allocated')
  if ((status.reservedFor ?? []).length > 0) states.push('reserved')
  return states.join(',')
}
