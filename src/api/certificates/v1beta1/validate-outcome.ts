import type { KeyObject } from 'node:crypto'
import { readLooseBlocks } from '#lib/x509/pem.ts'
import { readCertificate, type CertificateFacts } from '#lib/x509/read-certificate.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { invalidValue, invalidWithoutValue, notSupported, required, tooLong } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateConditions } from '../../meta/validate-conditions.ts'
import type { PodCertificateRequest, PodCertificateRequestStatus } from '../../types/certificates.v1beta1.ts'
import { requestedKey } from './requested-key.ts'

type Status = PodCertificateRequestStatus

/** What is wrong with what a signer says: it decides once, and a certificate is for the key and the time asked for. */
export function validateOutcome(now: PodCertificateRequest, old: PodCertificateRequest, nowMs: number): FieldError[] {
  const status = now.status ?? {}
  const before = old.status ?? {}
  const wrong = validateDecision(status)
  if (wrong.length > 0) return wrong
  if (outcomeOf(before) !== undefined) {
    return unlessSame(status, before, 'immutable after PodCertificateRequest is issued, denied, or failed')
  }
  switch (outcomeOf(status)) {
    case undefined:
      return unlessSame(status, before, 'status is immutable unless transitioning to "Issued", "Denied", or "Failed"')
    case 'Issued':
      return validateIssued(status, old, nowMs)
    default: {
      const detail = 'non-condition status fields must be empty when denying or failing the PodCertificateRequest'
      return unlessSame(status, { conditions: status.conditions }, detail)
    }
  }
}

const outcomes = ['Issued', 'Denied', 'Failed']

function outcomeOf({ conditions = [] }: Status): string | undefined {
  return conditions.find(({ type, status }) => outcomes.includes(type) && status === 'True')?.type
}

function validateDecision({ conditions = [] }: Status): FieldError[] {
  let known = 0
  const errors = conditions.flatMap(({ type, status }, index) => {
    const path = `status.conditions.[${index}]`
    if (!outcomes.includes(type)) return [notSupported(`${path}.type`, type, outcomes)]
    known++
    const detail = 'There may be at most one condition with type "Issued", "Denied", or "Failed"'
    return [
      ...(known > 1 ? [invalidValue(`${path}.type`, type, detail)] : []),
      ...(status === 'True' ? [] : [notSupported(`${path}.status`, status, ['True'])]),
    ]
  })
  return [...errors, ...validateConditions(conditions, 'status.conditions')]
}

function unlessSame(now: Status, old: Status, detail: string): FieldError[] {
  return deepEqual(withoutEmpty(now), withoutEmpty(old)) ? [] : [invalidWithoutValue('status', detail)]
}

function withoutEmpty(status: Status): object {
  const entries = Object.entries(status) as readonly [string, unknown][]
  return Object.fromEntries(entries.filter(([, value]) => !isEmpty(value)))
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
}

const chainPath = 'status.certificateChain'
const maxChainBytes = 100 * 1024

function validateIssued(status: Status, { spec }: PodCertificateRequest, nowMs: number): FieldError[] {
  const chain = status.certificateChain ?? ''
  if (Buffer.byteLength(chain) > maxChainBytes) return [tooLong(chainPath, maxChainBytes)]
  const wrong = (detail: string): FieldError[] => [invalidValue(chainPath, chain, detail)]
  const [first, ...others] = readLooseBlocks(chain)
  if (first === undefined) return wrong('issued certificate chain must contain at least one certificate')
  const onlyCertificates = 'issued certificate chain must consist entirely of CERTIFICATE PEM blocks'
  if (first.label !== 'CERTIFICATE') return wrong(onlyCertificates)
  const leaf = readCertificate(first.der)
  if (leaf === undefined) return wrong('leaf certificate does not parse as valid X.509')
  const nameErrors = validateLeafNames(leaf)
  const key = requestedKey(spec)
  if (key === undefined || !isSameKey(key, leaf.publicKey)) {
    return [...nameErrors, ...wrong('leaf certificate was not issued to the requested public key')]
  }
  const timeErrors = validateTimes(status, leaf, { nowMs, maxSeconds: spec.maxExpirationSeconds ?? 0 })
  if (nameErrors.length + timeErrors.length > 0) return [...nameErrors, ...timeErrors]
  if (others.some(({ label }) => label !== 'CERTIFICATE')) return wrong(onlyCertificates)
  const isWhole = others.every(({ der }) => readCertificate(der) !== undefined)
  return isWhole ? [] : wrong('intermediate certificate does not parse as valid X.509')
}

function isSameKey(one: KeyObject, other: KeyObject): boolean {
  const text = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' })
  return text(one).equals(text(other))
}

function validateLeafNames({ dnsNames, emailAddresses }: CertificateFacts): FieldError[] {
  const ofNames = dnsNames.flatMap((name) => {
    const details: string[] = []
    if (name === '') details.push('leaf certificate should not contain empty DNSName')
    if (name.includes('..')) details.push("leaf certificate's DNSName should not contain '..'")
    if (name.startsWith('.') || name.endsWith('.')) {
      details.push("leaf certificate's DNSName should not start or end with '.'")
    }
    return details.map((detail) => invalidValue(chainPath, name, detail))
  })
  const badAddresses = emailAddresses.filter((address) => !/^[^\s@<>]+@[^\s@<>]+$/.test(address))
  const detail = 'leaf certificate should not contain invalid EmailAddress'
  return [...ofNames, ...badAddresses.map((address) => invalidValue(chainPath, address, detail))]
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** The times that the signer tells are those of the certificate, which begins now and lives as long as was asked for. */
function validateTimes(
  { notBefore, notAfter, beginRefreshAt }: Status,
  leaf: CertificateFacts,
  { nowMs, maxSeconds }: { readonly nowMs: number; readonly maxSeconds: number },
): FieldError[] {
  if (!notBefore || !notAfter || !beginRefreshAt) return missingTimes({ notBefore, notAfter, beginRefreshAt })
  const [fromMs, untilMs, refreshMs] = [notBefore, notAfter, beginRefreshAt].map((time) => Date.parse(time)) as [
    number,
    number,
    number,
  ]
  const wrong = (field: keyof Status, value: string, detail: string): FieldError[] => [
    invalidValue(`status.${field}`, value, detail),
  ]
  if (fromMs !== leaf.notBeforeMs) {
    return wrong('notBefore', notBefore, 'must be set to the NotBefore time encoded in the leaf certificate')
  }
  if (Math.abs(fromMs - nowMs) >= 5 * minuteMs) {
    return wrong('notBefore', notBefore, "must be set to within 5 minutes of kube-apiserver's current time")
  }
  if (untilMs !== leaf.notAfterMs) {
    return wrong('notAfter', notAfter, 'must be set to the NotAfter time encoded in the leaf certificate')
  }
  const lifeMs = leaf.notAfterMs - leaf.notBeforeMs
  if (lifeMs < hourMs)
    return [invalidValue(chainPath, nanoseconds(lifeMs), 'leaf certificate lifetime must be >= 1 hour')]
  if (lifeMs > maxSeconds * 1000) {
    const detail = `leaf certificate lifetime must be <= spec.maxExpirationSeconds (${maxSeconds})`
    return [invalidValue(chainPath, nanoseconds(lifeMs), detail)]
  }
  if (refreshMs < fromMs + 10 * minuteMs) {
    return wrong('beginRefreshAt', beginRefreshAt, 'must be at least 10 minutes after status.notBefore')
  }
  if (refreshMs <= untilMs - 10 * minuteMs) return []
  return wrong('beginRefreshAt', beginRefreshAt, 'must be at least 10 minutes before status.notAfter')
}

/** As Kubernetes shows a length of time that is a number. */
function nanoseconds(ms: number): number {
  return ms * 1_000_000
}

function missingTimes(times: Pick<Status, 'notBefore' | 'notAfter' | 'beginRefreshAt'>): FieldError[] {
  const consistent = 'must be present and consistent with the issued certificate'
  const details = {
    notBefore: consistent,
    notAfter: consistent,
    beginRefreshAt: 'must be present and in the range [notbefore+10min, notafter-10min]',
  }
  return (Object.keys(details) as (keyof typeof details)[])
    .filter((name) => !times[name])
    .map((name) => required(`status.${name}`, details[name]))
}
