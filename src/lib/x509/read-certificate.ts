import { X509Certificate, type KeyObject } from 'node:crypto'
import { readElements, readObjectIdentifier, readOne, tags } from './der.ts'
import { extensionIds } from './extensions.ts'

/** What is read of a certificate that somebody else made. */
export interface CertificateFacts {
  /** Its basic constraints say that it may sign others. */
  readonly isCa: boolean
  readonly publicKey: KeyObject
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly dnsNames: readonly string[]
  readonly emailAddresses: readonly string[]
}

/** The facts of one certificate in DER; undefined for bytes that are none. */
export function readCertificate(der: Buffer): CertificateFacts | undefined {
  try {
    const certificate = new X509Certificate(der)
    if (!certificate.raw.equals(der)) return undefined
    const names = alternativeNames(der)
    const texts = (tag: number): string[] =>
      names.filter((name) => name.tag === tag).map((name) => name.body.toString('latin1'))
    return {
      isCa: certificate.ca,
      publicKey: certificate.publicKey,
      notBeforeMs: certificate.validFromDate.getTime(),
      notAfterMs: certificate.validToDate.getTime(),
      emailAddresses: texts(0x81),
      dnsNames: texts(0x82),
    }
  } catch {
    return undefined
  }
}

/** The general names of the subject alternative name extension; none where there is no such extension. */
function alternativeNames(der: Buffer): ReturnType<typeof readElements> {
  const [body] = readElements(readOne(der, tags.sequence).body)
  const extensions = readElements(body!.body).find(({ tag }) => tag === 0xa3)
  if (extensions === undefined) return []
  for (const extension of readElements(readOne(extensions.body, tags.sequence).body)) {
    const parts = readElements(extension.body)
    if (readObjectIdentifier(parts[0]!.body) !== extensionIds.alternativeNames) continue
    return readElements(readOne(parts.at(-1)!.body, tags.sequence).body)
  }
  return []
}
