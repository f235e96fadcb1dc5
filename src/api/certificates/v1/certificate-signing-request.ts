import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { ageOf, humanDuration } from '../../meta/duration.ts'
import { duplicate, forbiddenField, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { keepStatus } from '../../meta/keep-status.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateSignerName } from '../../meta/validate-signer-name.ts'
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from '../../types/certificates.v1.ts'

/** Who asks is written by the server: `username`, `uid`, `groups` and `extra` of a manifest are dropped. */
export const certificateSigningRequest = defineKind<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  hasGeneration: false,
  nameRule: 'pathSegment',
  prepareForCreate(draft) {
    const { username: _name, uid: _uid, groups: _groups, extra: _extra, ...spec } = draft.spec
    draft.spec = spec
    draft.status = {}
  },
  /** The request stays what it was: whoever approves it must know what is signed. */
  prepareForUpdate(draft, old) {
    draft.spec = structuredClone(old.spec) as Draft<CertificateSigningRequest>['spec']
    keepStatus(draft, old)
  },
  validate: validateRequest,
  validateStatusUpdate: validateStatus,
  cells: (request, nowMs) => [
    request.metadata.name,
    ageOf(request.metadata.creationTimestamp, nowMs),
    request.spec.signerName,
    request.spec.username ?? '',
    request.spec.expirationSeconds === undefined ? '<none>' : humanDuration(request.spec.expirationSeconds * 1000),
    stateCell(request),
  ],
  selectableFields: ({ spec }) => ({ 'spec.signerName': spec.signerName }),
})

const usages = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]

const minSeconds = 600
const legacySigner = 'kubernetes.io/legacy-unknown'

function validateRequest({ spec }: CertificateSigningRequest): FieldError[] {
  const errors: FieldError[] = []
  if (!firstPemBlock(spec.request, 'CERTIFICATE REQUEST')) {
    errors.push(invalidValue('spec.request', spec.request, 'PEM block type must be CERTIFICATE REQUEST'))
  }
  const list = spec.usages ?? []
  if (list.length === 0) errors.push(required('spec.usages', 'usages must be provided'))
  for (const [index, usage] of list.entries()) {
    const path = `spec.usages[${index}]`
    if (!usages.includes(usage)) errors.push(notSupported(path, usage, usages))
    if (list.indexOf(usage) < index) errors.push(duplicate(path, usage))
  }
  if (spec.signerName === legacySigner) {
    const detail = 'the legacy signerName is not allowed via this API version'
    errors.push(invalidValue('spec.signerName', spec.signerName, detail))
  } else errors.push(...validateSignerName(spec.signerName, 'spec.signerName'))
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < minSeconds) {
    const detail = `may not specify a duration less than ${minSeconds} seconds (10 minutes)`
    errors.push(invalidValue('spec.expirationSeconds', spec.expirationSeconds, detail))
  }
  return errors
}

/** Whether the first PEM block of base64 text is of the type. */
function firstPemBlock(encoded: string, type: string): boolean {
  const text = Buffer.from(encoded ?? '', 'base64').toString('latin1')
  return /-----BEGIN ([A-Z ]+)-----/.exec(text)?.[1] === type
}

/** Conditions that settle a request, and so stay. */
const lasting = ['Approved', 'Denied', 'Failed']

function validateStatus(now: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const conditions = now.status?.conditions ?? []
  const errors = validateConditions(conditions)
  const certificate = now.status?.certificate ?? ''
  if (certificate !== '' && !firstPemBlock(certificate, 'CERTIFICATE')) {
    errors.push(
      invalidValue('status.certificate', '<certificate data>', 'must contain at least one CERTIFICATE PEM block'),
    )
  }
  const removed = (old.status?.conditions ?? []).filter(
    ({ type }) => lasting.includes(type) && !conditions.some((condition) => condition.type === type),
  )
  for (const { type } of removed) {
    errors.push(forbiddenField('status.conditions', `updates may not remove a condition of type "${type}"`))
  }
  return errors
}

function validateConditions(conditions: readonly CertificateSigningRequestCondition[]): FieldError[] {
  const seen = new Set<string>()
  return conditions.flatMap(({ type, status }, index) => {
    const path = `status.conditions[${index}]`
    const errors: FieldError[] = []
    if (type === '') errors.push(required(`${path}.type`))
    if (status === '') errors.push(required(`${path}.status`))
    else if (lasting.includes(type) && status !== 'True') errors.push(notSupported(`${path}.status`, status, ['True']))
    const other = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : undefined
    if (other !== undefined && seen.has(other)) {
      errors.push(invalidValue(`${path}.type`, type, 'Approved and Denied conditions are mutually exclusive'))
    }
    if (seen.has(type)) errors.push(duplicate(`${path}.type`, type))
    seen.add(type)
    return errors
  })
}

function stateCell({ status }: CertificateSigningRequest): string {
  const types = new Set((status?.conditions ?? []).map(({ type }) => type))
  const states: string[] = []
  if (types.has('Denied')) states.push('Denied')
  else if (types.has('Approved')) states.push('Approved')
  else states.push('Pending')
  if (types.has('Failed')) states.push('Failed')
  if ((status?.certificate ?? '') !== '') states.push('Issued')
  return states.join(',')
}
