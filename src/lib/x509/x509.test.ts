import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, randomBytes, X509Certificate, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { certificateSubject, isMatchingPair, issueCertificate, issueSelfSigned, type KeyPair } from './certificate.ts'
import { integer, objectIdentifier, readElements, readObjectIdentifier, readOne, tags } from './der.ts'
import { addressBytes } from './extensions.ts'
import { parseSigningRequest } from './signing-request.ts'

const day = 86_400_000
const now = Date.parse('2026-11-21T00:00:00Z')

const keyTypes = {
  ec256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ec384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ed25519: () => generateKeyPairSync('ed25519'),
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string
}

function makeCa(keys: { publicKey: KeyObject; privateKey: KeyObject } = keyTypes.ec256()): KeyPair {
  const request = {
    subject: { commonName: 'test-ca' },
    publicKey: keys.publicKey,
    notBeforeMs: now - day,
    notAfterMs: now + 3650 * day,
    serial: randomBytes(16),
    isCa: true,
    keyUsages: ['digitalSignature', 'keyEncipherment', 'certSign'] as const,
  }
  return { certificate: issueSelfSigned(request, keys.privateKey), key: pem(keys.privateKey) }
}

function makeLeaf(ca: KeyPair, notAfterMs = now + 365 * day): KeyPair {
  const keys = keyTypes.ec256()
  const certificate = issueCertificate(
    {
      subject: { commonName: 'system:node:alpha', organizations: ['system:nodes', 'ä-group'] },
      publicKey: keys.publicKey,
      notBeforeMs: now - day,
      notAfterMs,
      serial: randomBytes(16),
      keyUsages: ['digitalSignature', 'keyEncipherment'],
      extendedKeyUsages: ['clientAuth', 'serverAuth'],
      dnsNames: ['alpha', 'kubernetes.default.svc'],
      ipAddresses: ['127.0.0.1', 'fd00::10.1.2.3', '::1'],
    },
    ca,
  )
  return { certificate, key: pem(keys.privateKey) }
}

for (const [name, generate] of Object.entries(keyTypes)) {
  test(`a ${name} root and its leaf pass openssl verify with purposes`, () => {
    const directory = mkdtempSync(join(tmpdir(), 'x509-'))
    try {
      const ca = makeCa(generate())
      const leaf = makeLeaf(ca)
      writeFileSync(join(directory, 'ca.crt'), ca.certificate)
      writeFileSync(join(directory, 'leaf.crt'), leaf.certificate)
      for (const purpose of ['sslclient', 'sslserver']) {
        const at = String(now / 1000)
        const arguments_ = [
          'verify',
          '-x509_strict',
          '-attime',
          at,
          '-purpose',
          purpose,
          '-CAfile',
          'ca.crt',
          'leaf.crt',
        ]
        assert.match(execFileSync('openssl', arguments_, { cwd: directory, encoding: 'utf8' }), /leaf.crt: OK/)
      }
      const text = execFileSync('openssl', ['x509', '-text', '-noout', '-in', 'leaf.crt'], {
        cwd: directory,
        encoding: 'utf8',
      })
      assert.match(
        text,
        /DNS:alpha, DNS:kubernetes.default.svc, IP Address:127.0.0.1, IP Address:FD00:0:0:0:0:0:A01:203, IP Address:0:0:0:0:0:0:0:1/,
      )
      assert.match(text, /TLS Web Client Authentication, TLS Web Server Authentication/)
      assert.match(text, /X509v3 Key Usage: critical\s+Digital Signature, Key Encipherment/)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
}

test('node reads subject, times and issuer back', () => {
  const ca = makeCa()
  const leaf = new X509Certificate(makeLeaf(ca, Date.parse('2062-01-02T03:04:05Z')).certificate)
  assert.equal(leaf.subject, 'O=ä-group + O=system:nodes\nCN=system:node:alpha')
  assert.deepEqual(certificateSubject(leaf.raw), {
    commonName: 'system:node:alpha',
    organizations: ['ä-group', 'system:nodes'],
    otherAttributes: [],
  })
  assert.equal(leaf.issuer, 'CN=test-ca')
  assert.equal(leaf.validToDate.toISOString(), '2062-01-02T03:04:05.000Z')
  assert.ok(leaf.checkIssued(new X509Certificate(ca.certificate)))
  assert.ok(leaf.verify(new X509Certificate(ca.certificate).publicKey))
})

test('isMatchingPair tells a foreign key', () => {
  const ca = makeCa()
  assert.equal(isMatchingPair(ca), true)
  assert.equal(isMatchingPair({ certificate: ca.certificate, key: makeCa().key }), false)
})

test('an openssl signing request is parsed and its signature verified', () => {
  const directory = mkdtempSync(join(tmpdir(), 'csr-'))
  try {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem']
    const names = [
      '-subj',
      '/O=system:nodes/CN=system:node:beta',
      '-addext',
      'subjectAltName=DNS:beta,IP:10.0.0.7,IP:fd00::7',
    ]
    const csr = execFileSync('openssl', ['req', '-new', ...key, ...names], {
      cwd: directory,
      encoding: 'utf8',
      stdio: 'pipe',
    })
    const parsed = parseSigningRequest(csr)
    assert.equal(parsed.subject.commonName, 'system:node:beta')
    assert.deepEqual(parsed.subject.organizations, ['system:nodes'])
    assert.deepEqual(parsed.dnsNames, ['beta'])
    assert.deepEqual(parsed.ipAddresses, ['10.0.0.7', 'fd00::7'])
    assert.ok(createPublicKey(parsed.publicKey.export({ type: 'spki', format: 'pem' }) as string))
    const flipped = Buffer.from(csr.replace(/-----[A-Z ]+-----|\n/g, ''), 'base64')
    flipped[40] = flipped[40]! ^ 1
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${flipped.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
    assert.throws(() => parseSigningRequest(forged), { name: 'DerError' })
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('anything else than a request is refused', () => {
  for (const text of [
    '',
    'hello',
    '-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n',
    makeCa().certificate,
  ]) {
    assert.throws(() => parseSigningRequest(text), { name: 'DerError' })
  }
})

test('DER primitives', () => {
  assert.equal(integer(Buffer.from([0, 0, 0x80])).toString('hex'), '02020080')
  assert.equal(objectIdentifier('1.2.840.113549.1.1.11').toString('hex'), '06092a864886f70d01010b')
  assert.equal(readObjectIdentifier(objectIdentifier('2.5.29.17').subarray(2)), '2.5.29.17')
  assert.throws(() => readElements(Buffer.from([0x30, 0x05, 0x01])), { name: 'DerError' })
  assert.throws(() => readElements(Buffer.from([0x30, 0x80, 0, 0])), { name: 'DerError' })
  assert.throws(() => readOne(Buffer.from([0x02, 0x01, 0x00]), tags.sequence), { name: 'DerError' })
  assert.equal(addressBytes('::ffff:1.2.3.4').toString('hex'), '00000000000000000000ffff01020304')
})
