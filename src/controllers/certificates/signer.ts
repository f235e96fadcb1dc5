import { X509Certificate } from 'node:crypto'
import type { CertificateSigningRequest } from '#api/types/certificates.v1.ts'
import type { Clock } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import { issueCertificate, type KeyPair } from '#lib/x509/certificate.ts'
import type { ExtendedKeyUsage, KeyUsage } from '#lib/x509/extensions.ts'
import type { SigningRequest } from '#lib/x509/signing-request.ts'

/** Issues the certificate for a request whose rules have been checked; PEM. */
export type Sign = (request: SigningRequest, spec: CertificateSigningRequest['spec']) => string | Promise<string>

const minuteMs = 60_000
/** Clocks that are a little behind must find the certificate valid. */
const backdateMs = 5 * minuteMs
const defaultValidityMs = 365 * 24 * 60 * minuteMs

/** Signs with a CA that this process holds. A certificate never outlives its CA, nor a year. */
export function createSigner(ca: KeyPair, { clock, random }: { readonly clock: Clock; readonly random: Random }): Sign {
  const caEndsMs = new X509Certificate(ca.certificate).validToDate.getTime()
  return (request, { usages = [], expirationSeconds }) => {
    const nowMs = clock.now()
    const askedMs = expirationSeconds === undefined ? defaultValidityMs : expirationSeconds * 1_000
    const notAfterMs = Math.min(nowMs + Math.min(askedMs, defaultValidityMs), caEndsMs)
    const { subjectDer, publicKey, dnsNames, ipAddresses } = request
    return issueCertificate(
      {
        subject: { der: subjectDer },
        publicKey,
        dnsNames,
        ipAddresses,
        notBeforeMs: nowMs - backdateMs,
        notAfterMs,
        serial: random.bytes(16),
        keyUsages: keyUsages(usages),
        extendedKeyUsages: extendedKeyUsages(usages),
      },
      ca,
    )
  }
}

function keyUsages(usages: readonly string[]): readonly KeyUsage[] {
  const known: readonly (readonly [string, KeyUsage])[] = [
    ['digital signature', 'digitalSignature'],
    ['key encipherment', 'keyEncipherment'],
  ]
  return known.filter(([name]) => usages.includes(name)).map(([, usage]) => usage)
}

function extendedKeyUsages(usages: readonly string[]): readonly ExtendedKeyUsage[] {
  const known: readonly (readonly [string, ExtendedKeyUsage])[] = [
    ['client auth', 'clientAuth'],
    ['server auth', 'serverAuth'],
  ]
  return known.filter(([name]) => usages.includes(name)).map(([, usage]) => usage)
}
