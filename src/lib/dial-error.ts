/** A failure to reach somebody, in the words that Kubernetes' users know and match on. */
export function dialMessage(error: unknown, { host, port }: { readonly host: string; readonly port: number }): string {
  const { code = '', message = String(error), name = '' } = error as Partial<NodeJS.ErrnoException>
  if (name === 'TimeoutError' || name === 'AbortError') return 'context deadline exceeded'
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const fixed: Readonly<Record<string, string>> = {
    ECONNREFUSED: `dial tcp ${address}: connect: connection refused`,
    EHOSTUNREACH: `dial tcp ${address}: connect: no route to host`,
    ENETUNREACH: `dial tcp ${address}: connect: network is unreachable`,
    ETIMEDOUT: `dial tcp ${address}: i/o timeout`,
    ENOTFOUND: `dial tcp: lookup ${host}: no such host`,
    EAI_AGAIN: `dial tcp: lookup ${host}: Temporary failure in name resolution`,
    ECONNRESET: 'EOF',
    CERT_HAS_EXPIRED: certificate('certificate has expired or is not yet valid'),
    CERT_NOT_YET_VALID: certificate('certificate has expired or is not yet valid'),
    EPROTO: 'http: server gave HTTP response to HTTPS client',
  }
  if (code in fixed) return fixed[code] ?? message
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return certificate(nameMismatch(error as AltNameError))
  const isUntrusted = /SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)|CERT_UNTRUSTED|CERT_SIGNATURE/.test(code)
  return isUntrusted ? certificate('certificate signed by unknown authority') : message
}

interface AltNameError {
  readonly host?: string
  readonly cert?: { readonly subjectaltname?: string }
}

function nameMismatch({ host = '', cert }: AltNameError): string {
  const names = [...(cert?.subjectaltname ?? '').matchAll(/(?:DNS|IP Address):([^,]+)/g)].map(([, name]) => name)
  if (names.length === 0) return `certificate is not valid for any names, but wanted to match ${host}`
  return `certificate is valid for ${names.join(', ')}, not ${host}`
}

function certificate(why: string): string {
  return `tls: failed to verify certificate: x509: ${why}`
}
