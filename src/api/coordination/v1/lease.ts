import { defineKind } from '../../kind.ts'
import { positive, nonNegative } from '../../meta/check-numbers.ts'
import { ageOf } from '../../meta/duration.ts'
import type { Lease } from '../../types/coordination.v1.ts'
import type { Draft } from '../../kind.ts'

export const lease = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  hasGeneration: false,
  prepareForCreate: dropDisabled,
  prepareForUpdate: dropDisabled,
  validate: ({ spec }) => [
    ...positive(spec?.leaseDurationSeconds, 'spec.leaseDurationSeconds'),
    ...nonNegative(spec?.leaseTransitions, 'spec.leaseTransitions'),
  ],
  cells: ({ metadata, spec }, nowMs) => [
    metadata.name,
    spec?.holderIdentity ?? '',
    ageOf(metadata.creationTimestamp, nowMs),
  ],
  createOnUpdate: true,
  requiresResourceVersion: true,
})

/** Coordinated leader election (KEP-4355) is switched off. */
function dropDisabled({ spec }: Draft<Lease>): void {
  delete spec?.strategy
  delete spec?.preferredHolder
}
