import { readLooseBlocks } from '#lib/x509/pem.ts'
import { readCertificate } from '#lib/x509/read-certificate.ts'
import { defineKind } from '../../kind.ts'
import { immutableField, invalidForEach, invalidValue, tooLong } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateSignerName } from '../../meta/validate-signer-name.ts'
import type { ClusterTrustBundle } from '../../types/certificates.v1beta1.ts'
import { trustBundleName } from './trust-bundle-name.ts'

/** Authorities to trust, of one signer or of nobody in particular (KEP-3257). */
export const clusterTrustBundle = defineKind<ClusterTrustBundle>({
  group: 'certificates.k8s.io',
  version: 'v1beta1',
  kind: 'ClusterTrustBundle',
  hasGeneration: false,
  // The signer says which names there are; see `validate`.
  nameRule: 'pathSegment',
  validate: (bundle) => [...validateNames(bundle), ...validateAnchors(bundle.spec.trustBundle ?? '')],
  validatesUpdateAlone: true,
  validateUpdate(now, old) {
    const isSame = now.spec.trustBundle === old.spec.trustBundle
    const errors = [...validateNames(now), ...(isSame ? [] : validateAnchors(now.spec.trustBundle ?? ''))]
    const signer = now.spec.signerName ?? ''
    if (signer !== (old.spec.signerName ?? '')) errors.push(invalidValue('spec.signerName', signer, immutableField))
    return errors
  },
  cells: ({ metadata, spec }) => [metadata.name, spec.signerName || '<none>'],
  selectableFields: ({ spec }) => ({ 'spec.signerName': spec.signerName ?? '' }),
})

function validateNames({ metadata, spec }: ClusterTrustBundle): FieldError[] {
  const signer = spec.signerName ?? ''
  return [
    ...invalidForEach('metadata.name', metadata.name, trustBundleName(metadata.name, signer)),
    ...(signer === '' ? [] : validateSignerName(signer, 'spec.signerName')),
  ]
}

const path = 'spec.trustBundle'
const maxBytes = 1024 * 1024

/** The text is never told: it is long, and who reads the error has it. */
function wrong(detail: string): FieldError {
  return invalidValue(path, '<value omitted>', detail)
}

function validateAnchors(text: string): FieldError[] {
  if (Buffer.byteLength(text) > maxBytes) return [tooLong(path, maxBytes)]
  const blocks = readLooseBlocks(text)
  const errors = blocks.flatMap((block, index) => anchorProblem(block, index) ?? [])
  if (errors.length > 0) return errors
  if (blocks.length === 0) return [wrong('at least one trust anchor must be provided')]
  const places = Map.groupBy(blocks.keys(), (index) => blocks[index]!.der.toString('latin1'))
  return [...places.values()]
    .filter((indices) => indices.length > 1)
    .map((indices) => wrong(`duplicate trust anchor (indices [${indices.join(' ')}])`))
}

function anchorProblem(
  { label, hasHeaders, der }: ReturnType<typeof readLooseBlocks>[number],
  index: number,
): FieldError | undefined {
  if (label !== 'CERTIFICATE') return wrong(`entry ${index} has bad block type: ${label}`)
  if (hasHeaders) return wrong(`entry ${index} has PEM block headers`)
  const certificate = readCertificate(der)
  if (certificate === undefined) return wrong(`entry ${index} does not parse as X.509`)
  return certificate.isCa ? undefined : wrong(`entry ${index} does not have the CA bit set`)
}
