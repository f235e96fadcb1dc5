import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecureContext } from 'node:tls'
import { tlsErrors, tlsSettings } from './tls-settings.ts'

test('what a server speaks has the names of OpenSSL', () => {
  const given = {
    tlsCipherSuites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'],
    tlsMinVersion: 'VersionTLS13',
    tlsCurvePreferences: ['X25519', 'CurveP256'],
  }
  assert.deepEqual(tlsErrors(given), [])
  const settings = tlsSettings(given)
  assert.deepEqual(settings, {
    ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-RSA-AES128-GCM-SHA256',
    minVersion: 'TLSv1.3',
    ecdhCurve: 'X25519:P-256',
  })
  // OpenSSL knows all of these names.
  createSecureContext(settings)
  assert.deepEqual(tlsSettings({}), {})
})

test('what nobody speaks is refused', () => {
  assert.deepEqual(tlsErrors({ tlsCipherSuites: ['TLS_NULL'], tlsMinVersion: 'SSL3', tlsCurvePreferences: ['P'] }), [
    "Cipher suite TLS_NULL not supported or doesn't exist",
    'unknown tls version "SSL3"',
    'unknown curve "P" in tlsCurvePreferences',
  ])
})
