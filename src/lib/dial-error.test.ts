import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialMessage } from './dial-error.ts'

const rows: readonly (readonly [error: object, message: string])[] = [
  [{ code: 'ECONNREFUSED' }, 'dial tcp 10.0.0.1:443: connect: connection refused'],
  [{ code: 'ENOTFOUND' }, 'dial tcp: lookup 10.0.0.1: no such host'],
  [{ name: 'TimeoutError' }, 'context deadline exceeded'],
  [
    { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    'tls: failed to verify certificate: x509: certificate signed by unknown authority',
  ],
  [
    { code: 'ERR_TLS_CERT_ALTNAME_INVALID', host: 'b', cert: { subjectaltname: 'DNS:a, IP Address:10.0.0.2' } },
    'tls: failed to verify certificate: x509: certificate is valid for a, 10.0.0.2, not b',
  ],
  [{ message: 'something else' }, 'something else'],
]
for (const [error, message] of rows) {
  test(message, () => assert.equal(dialMessage(error, { host: '10.0.0.1', port: 443 }), message))
}
