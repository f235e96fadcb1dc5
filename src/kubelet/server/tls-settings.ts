import type { SecureContextOptions } from 'node:tls'

/** The names that configuration files use, and those of OpenSSL. Suites of TLS 1.3 cannot be chosen, as in Go. */
const cipherNames: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: 'ECDHE-ECDSA-AES128-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: 'ECDHE-RSA-AES128-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_128_CBC_SHA256: 'AES128-SHA256',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
}
const modernCiphers = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']

/** TLS 1.0 and 1.1 are not spoken, whatever the least version is said to be. */
const versions: Readonly<Record<string, 'TLSv1.2' | 'TLSv1.3'>> = {
  VersionTLS10: 'TLSv1.2',
  VersionTLS11: 'TLSv1.2',
  VersionTLS12: 'TLSv1.2',
  VersionTLS13: 'TLSv1.3',
}

const curves: Readonly<Record<string, string>> = {
  X25519: 'X25519',
  CurveP256: 'P-256',
  CurveP384: 'P-384',
  CurveP521: 'P-521',
}

interface TlsFields {
  readonly tlsCipherSuites?: readonly string[]
  readonly tlsMinVersion?: string
  readonly tlsCurvePreferences?: readonly string[]
}

/** What a server is to speak. Nothing said: what Node speaks. */
export function tlsSettings(given: TlsFields): SecureContextOptions {
  const { tlsCipherSuites: suites = [], tlsMinVersion = '', tlsCurvePreferences: wanted = [] } = given
  const ciphers = [...modernCiphers, ...suites.flatMap((name) => cipherNames[name] ?? [])]
  const minVersion = versions[tlsMinVersion]
  return {
    ...(suites.length > 0 && { ciphers: [...new Set(ciphers)].join(':') }),
    ...(minVersion && { minVersion }),
    ...(wanted.length > 0 && { ecdhCurve: wanted.flatMap((name) => curves[name] ?? []).join(':') }),
  }
}

/** What no server can speak, in upstream's words. */
export function tlsErrors(given: TlsFields): readonly string[] {
  const { tlsCipherSuites: suites = [], tlsMinVersion = '', tlsCurvePreferences: wanted = [] } = given
  return [
    ...suites
      .filter((name) => !(name in cipherNames) && !modernCiphers.includes(name))
      .map((name) => `Cipher suite ${name} not supported or doesn't exist`),
    ...(tlsMinVersion === '' || tlsMinVersion in versions ? [] : [`unknown tls version "${tlsMinVersion}"`]),
    ...wanted.filter((name) => !(name in curves)).map((name) => `unknown curve "${name}" in tlsCurvePreferences`),
  ]
}
