import { defineKind, type Draft } from '../../kind.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { immutableField, invalidForEach, invalidValue, required, tooLong } from '../../meta/field-errors.ts'
import { internalForm } from '../../meta/internal-form.ts'
import { dnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { isKubernetesSigner, validateSignerName } from '../../meta/validate-signer-name.ts'
import type { PodCertificateRequest, PodCertificateRequestSpec } from '../../types/certificates.v1beta1.ts'
import { validateRequestedKey } from './requested-key.ts'
import { validateUserAnnotations } from './validate-user-annotations.ts'
import { validateOutcome } from './validate-outcome.ts'

/** A kubelet asks a signer for a certificate of one pod (KEP-4317). */
export const podCertificateRequest = defineKind<PodCertificateRequest>({
  group: 'certificates.k8s.io',
  version: 'v1beta1',
  kind: 'PodCertificateRequest',
  hasGeneration: false,
  setDefaults: (draft) => void ((draft.spec ??= emptySpec()).maxExpirationSeconds ??= dayInSeconds),
  prepareForStatusUpdate(draft, old, now) {
    keepAllButStatus(draft, old)
    dateConditions(draft, old, now)
  },
  validate: ({ spec }) => validateSpec(spec),
  validatesUpdateAlone: true,
  validateUpdate: ({ spec }, { spec: old }) =>
    deepEqual(spec, old) ? [] : [invalidValue('spec', form.of('Spec', spec), immutableField)],
  validateStatusUpdate: validateOutcome,
  cells: (request) => [
    request.metadata.name,
    request.spec.podName,
    request.spec.serviceAccountName,
    request.spec.nodeName,
    request.spec.signerName,
    stateOf(request),
  ],
  selectableFields: ({ spec }) => ({
    'spec.signerName': spec.signerName,
    'spec.podName': spec.podName,
    'spec.nodeName': spec.nodeName,
  }),
})

const hourInSeconds = 3600
const dayInSeconds = 24 * hourInSeconds
const longestLifeSeconds = 91 * dayInSeconds
const maxUidBytes = 128

const form = internalForm({
  Spec: 'SignerName PodName PodUID ServiceAccountName ServiceAccountUID NodeName NodeUID MaxExpirationSeconds* PKIXPublicKey* ProofOfPossession* StubPKCS10Request* UnverifiedUserAnnotations*',
})

function emptySpec(): Draft<PodCertificateRequestSpec> {
  const of = { podName: '', podUID: '', serviceAccountName: '', serviceAccountUID: '', nodeName: '', nodeUID: '' }
  return { signerName: '', ...of }
}

const keptMetadata = ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const

function keepAllButStatus(draft: Draft<PodCertificateRequest>, old: PodCertificateRequest): void {
  draft.spec = structuredClone(old.spec) as Draft<PodCertificateRequestSpec>
  const kept = structuredClone(old.metadata) as Draft<PodCertificateRequest>['metadata']
  for (const name of keptMetadata) {
    if (kept[name] === undefined) delete draft.metadata[name]
    else Object.assign(draft.metadata, { [name]: kept[name] })
  }
}

/** A signer need not say when it decided. */
function dateConditions(draft: Draft<PodCertificateRequest>, old: PodCertificateRequest, now: string): void {
  for (const condition of draft.status?.conditions ?? []) {
    if (condition.lastTransitionTime) continue
    const known = old.status?.conditions?.find(
      ({ type, status }) => type === condition.type && status === condition.status,
    )
    condition.lastTransitionTime = known?.lastTransitionTime || now
  }
}

function validateSpec(spec: PodCertificateRequestSpec): FieldError[] {
  const errors = [
    ...validateSignerName(spec.signerName, 'spec.signerName'),
    ...validateUserAnnotations(spec.unverifiedUserAnnotations, 'spec.unverifiedUserAnnotations'),
    ...invalidForEach('spec.podName', spec.podName, dnsSubdomain(spec.podName)),
    ...validateUid(spec.podUID, 'spec.podUID'),
    ...invalidForEach('spec.serviceAccountName', spec.serviceAccountName, dnsSubdomain(spec.serviceAccountName)),
    ...validateUid(spec.serviceAccountUID, 'spec.serviceAccountUID'),
    ...invalidForEach('spec.nodeName', spec.nodeName, dnsSubdomain(spec.nodeName)),
    ...validateUid(spec.nodeUID, 'spec.nodeUID'),
  ]
  const path = 'spec.maxExpirationSeconds'
  if (spec.maxExpirationSeconds === undefined) return [...errors, required(path, 'must be set')]
  return [...errors, ...validateLife(spec.maxExpirationSeconds, spec.signerName, path), ...validateRequestedKey(spec)]
}

function validateUid(uid: string, path: string): FieldError[] {
  if (uid === '') return [invalidValue(path, uid, 'must not be empty')]
  return Buffer.byteLength(uid) > maxUidBytes ? [tooLong(path, maxUidBytes)] : []
}

/** How long a certificate may be asked for; signers of Kubernetes itself issue none for more than a day. */
export function validateLife(seconds: number, signerName: string, path: string): FieldError[] {
  const longest = isKubernetesSigner(signerName) ? dayInSeconds : longestLifeSeconds
  if (seconds >= hourInSeconds && seconds <= longest) return []
  return [invalidValue(path, seconds, `must be in the range [${hourInSeconds}, ${longest}]`)]
}

function stateOf({ status }: PodCertificateRequest): string {
  const decided = status?.conditions?.find(({ type, status: is }) => outcomes.has(type) && is === 'True')
  return decided?.type ?? 'Pending'
}

const outcomes: ReadonlySet<string> = new Set(['Issued', 'Denied', 'Failed'])
