import { defineKind } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { immutableField, invalidValue, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { hasHostBits, validateCidr } from '../../meta/validate-ip.ts'
import type { ServiceCIDR } from '../../types/networking.v1.ts'

export const serviceCidr = defineKind<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  hasGeneration: false,
  prepareForCreate: (draft) => void (draft.status = {}),
  validate: ({ spec }) => validateCidrs(spec.cidrs ?? []),
  validateUpdate: ({ spec: now }, { spec: old }) => validateCidrsUpdate(now.cidrs ?? [], old.cidrs ?? []),
  cells: ({ metadata, spec }, nowMs) => [
    metadata.name,
    (spec.cidrs ?? []).join(','),
    ageOf(metadata.creationTimestamp, nowMs),
  ],
})

function validateCidrs(cidrs: readonly string[]): FieldError[] {
  if (cidrs.length === 0) return [required('spec.cidrs', 'at least one CIDR required')]
  const errors = cidrs.flatMap((cidr, index) => validateNetwork(cidr, `spec.cidrs[${index}]`))
  const families = new Set(cidrs.map((cidr) => cidr.includes(':')))
  if (cidrs.length > families.size) {
    const detail = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'
    errors.push(invalidValue('spec.cidrs', cidrs, detail))
  }
  return errors
}

function validateNetwork(cidr: string, path: string): FieldError[] {
  const errors = validateCidr(cidr, path)
  if (errors.length > 0 || !hasHostBits(cidr)) return errors
  return [invalidValue(path, cidr, 'must not have bits set beyond the prefix length')]
}

/** A range stays; one of the other family may join it. */
function validateCidrsUpdate(now: readonly string[], old: readonly string[]): FieldError[] {
  if (now.length !== old.length && !(old.length === 1 && now.length === 2)) {
    return [invalidValue('spec.cidrs', now, immutableField)]
  }
  return old.flatMap((cidr, index) =>
    now[index] === cidr ? [] : [invalidValue(`spec.cidrs[${index}]`, now[index] ?? '', immutableField)],
  )
}
