import { validateLife } from '../../../certificates/v1beta1/pod-certificate-request.ts'
import { validateUserAnnotations } from '../../../certificates/v1beta1/validate-user-annotations.ts'
import { notSupported, required } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'
import { validateSignerName } from '../../../meta/validate-signer-name.ts'
import type { PodCertificateProjection } from '../../../types/core.v1.ts'
import { validateFilePath } from './validate-volume-files.ts'

const keyTypes = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519']
const fileFields = ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const

/** A key and a certificate that the kubelet gets for the pod, in one file or in two. */
export function validateCertificateProjection(source: PodCertificateProjection, path: string): FieldError[] {
  const { signerName, keyType, maxExpirationSeconds, userAnnotations } = source
  const errors = validateSignerName(signerName ?? '', `${path}.signerName`)
  if (!keyTypes.includes(keyType)) errors.push(notSupported(`${path}.keyType`, keyType ?? '', keyTypes))
  if (maxExpirationSeconds !== undefined) {
    errors.push(...validateLife(maxExpirationSeconds, signerName ?? '', `${path}.maxExpirationSeconds`))
  }
  if (filesOf(source).length === 0) {
    const detail = 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath'
    errors.push(required(path, detail))
  }
  for (const name of fileFields) errors.push(...validateFilePath(source[name] ?? '', `${path}.${name}`))
  return [...errors, ...validateUserAnnotations(userAnnotations, `${path}.userAnnotations`)]
}

/** The files that it writes. */
export function filesOf(source: PodCertificateProjection): readonly string[] {
  return fileFields.map((name) => source[name] ?? '').filter((file) => file !== '')
}
