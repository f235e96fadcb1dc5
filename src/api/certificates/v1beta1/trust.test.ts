import assert from 'node:assert/strict'
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { testAuthority } from '#lib/x509/authority.case.ts'
import { signingRequestDer } from '#lib/x509/create-signing-request.ts'
import { samples } from '../../kind-samples.case.ts'
import { tryCreate, tryUpdate } from '../../kind-trial.case.ts'
import type { Draft } from '../../kind.ts'
import type { ClusterTrustBundle, PodCertificateRequest } from '../../types/certificates.v1beta1.ts'
import { clusterTrustBundle } from './cluster-trust-bundle.ts'
import { podCertificateRequest } from './pod-certificate-request.ts'

const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5)
const [one, two] = [testAuthority('one', nowMs), testAuthority('two', nowMs)]
const leaf = one.issue(generateKeyPairSync('ed25519').publicKey, { fromMs: nowMs, seconds: 3600 })

test('a bundle holds authorities and nothing else, each once', () => {
  const withHeader = one.certificate.replace('-----\n', '-----\nKey: value\n\n')
  const cases: readonly (readonly [string, string[]])[] = [
    [one.certificate + two.certificate, []],
    [`words\n${one.certificate}between\n${two.certificate}`, []],
    ['', ['at least one trust anchor must be provided']],
    ['nothing of the sort', ['at least one trust anchor must be provided']],
    [leaf, ['entry 0 does not have the CA bit set']],
    [one.certificate + one.key, ['entry 1 has bad block type: PRIVATE KEY']],
    [withHeader, ['entry 0 has PEM block headers']],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', ['entry 0 does not parse as X.509']],
    [one.certificate + two.certificate + one.certificate, ['duplicate trust anchor (indices [0 2])']],
  ]
  for (const [trustBundle, details] of cases) {
    const { messages } = tryCreate(clusterTrustBundle, { spec: { trustBundle } })
    const wanted = details.map((detail) => `spec.trustBundle: Invalid value: "<value omitted>": ${detail}`)
    assert.deepEqual(messages, wanted, trustBundle.slice(0, 60))
  }
})

test('a bundle larger than a mebibyte is refused', () => {
  const { messages } = tryCreate(clusterTrustBundle, { spec: { trustBundle: 'x'.repeat(1024 * 1024 + 1) } })
  assert.deepEqual(messages, ['spec.trustBundle: Too long: may not be more than 1048576 bytes'])
})

test('bundles of a signer are named after it, others without a colon', () => {
  const trustBundle = one.certificate
  const of = (name: string, signerName?: string): readonly string[] =>
    tryCreate(clusterTrustBundle, { metadata: { name }, spec: { trustBundle, ...(signerName && { signerName }) } })
      .messages
  assert.deepEqual(of('roots'), [])
  assert.deepEqual(of('example.com:s:v1', 'example.com/s'), [])
  assert.deepEqual(of('a:b'), [
    'metadata.name: Invalid value: "a:b": ClusterTrustBundle without signer name must not have ":" in its name',
  ])
  assert.deepEqual(of('roots', 'example.com/s'), [
    'metadata.name: Invalid value: "roots": ClusterTrustBundle for signerName example.com/s must be named with prefix example.com:s:',
  ])
  assert.match(of('x:y:z', 'x/y').join(), /spec.signerName: Invalid value: "x": should be a domain with at least two/)
})

test('a bundle keeps its signer; one that does not change is not read again', () => {
  const spec = { signerName: 'example.com/s', trustBundle: one.certificate }
  const made = tryCreate(clusterTrustBundle, { metadata: { name: 'example.com:s:a' }, spec })
  const change = (edit: (spec: Draft<ClusterTrustBundle['spec']>) => void): readonly string[] =>
    tryUpdate<ClusterTrustBundle>(clusterTrustBundle, made, ({ spec: draft }) => edit(draft)).messages
  assert.deepEqual(
    change((draft) => void (draft.trustBundle += two.certificate)),
    [],
  )
  assert.deepEqual(
    change((draft) => void (draft.signerName = 'example.com/t')),
    [
      'metadata.name: Invalid value: "example.com:s:a": ClusterTrustBundle for signerName example.com/t must be named with prefix example.com:t:',
      'spec.signerName: Invalid value: "example.com/t": field is immutable',
    ],
  )
})

const keys = {
  ed25519: generateKeyPairSync('ed25519'),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  koblitz: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
}

function stubOf(key: KeyObject): string {
  return signingRequestDer({ subject: { commonName: '' } }, key).toString('base64')
}

const sample = (samples['PodCertificateRequest'] as { readonly spec: object }).spec

function requestWith(spec: object): readonly string[] {
  return tryCreate(podCertificateRequest, { spec: { ...sample, ...spec } }, 'ns').messages
}

test('a request proves that its sender has the key, in one of two ways', () => {
  const withProof = (key: KeyObject, publicKey: KeyObject, text = 'u'): object => ({
    stubPKCS10Request: undefined,
    pkixPublicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    proofOfPossession: sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', Buffer.from(text), key).toString(
      'base64',
    ),
  })
  for (const { privateKey, publicKey } of [keys.ed25519, keys.p256, keys.p521]) {
    assert.deepEqual(requestWith({ stubPKCS10Request: stubOf(privateKey) }), [])
    assert.deepEqual(requestWith(withProof(privateKey, publicKey)), [])
    const unproven = 'spec.proofOfPossession: Invalid value: could not verify proof-of-possession signature'
    assert.deepEqual(requestWith(withProof(privateKey, publicKey, 'other')), [unproven])
  }
  const both =
    'spec: Invalid value: exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set'
  assert.deepEqual(requestWith({ stubPKCS10Request: undefined }), [both])
  assert.deepEqual(requestWith({ pkixPublicKey: 'AAAA' }), [both])
  assert.deepEqual(requestWith({ stubPKCS10Request: 'AAAA' }), [
    'spec.stubPKCS10Request: Invalid value: "AAAA": must be a valid PKCS#10 CSR',
  ])
  assert.match(
    requestWith({ stubPKCS10Request: stubOf(keys.koblitz.privateKey) }).join(),
    /must use curve P256 or P384/,
  )
})

test('a request names pod, account and node, and a life that its signer may give', () => {
  assert.deepEqual(requestWith({ maxExpirationSeconds: 3599, podUID: '', signerName: 's' }), [
    'spec.signerName: Invalid value: "s": must be a fully qualified domain and path of the form \'example.com/signer-name\'',
    'spec.podUID: Invalid value: "": must not be empty',
    'spec.maxExpirationSeconds: Invalid value: 3599: must be in the range [3600, 7862400]',
  ])
  assert.deepEqual(requestWith({ maxExpirationSeconds: 86_401, signerName: 'kubernetes.io/x' }), [
    'spec.maxExpirationSeconds: Invalid value: 86401: must be in the range [3600, 86400]',
  ])
  assert.match(requestWith({ unverifiedUserAnnotations: { bare: '1' } }).join(), /must be domain-prefixed/)
  const { object } = tryCreate(podCertificateRequest, { spec: sample }, 'ns')
  assert.equal((object as PodCertificateRequest).spec.maxExpirationSeconds, 86_400)
})

test('the spec of a request stays', () => {
  const made = tryCreate(podCertificateRequest, { spec: sample }, 'ns')
  const { messages } = tryUpdate<PodCertificateRequest>(podCertificateRequest, made, ({ spec }) => {
    spec.podName = 'other'
  })
  assert.match(
    messages.join(),
    /^spec: Invalid value: \{"SignerName":"example.com\/s","PodName":"other".*: field is immutable$/,
  )
})

const { publicKey, privateKey } = keys.p256
const pending = tryCreate(podCertificateRequest, { spec: { ...sample, stubPKCS10Request: stubOf(privateKey) } }, 'ns')
  .object as PodCertificateRequest
const time = (offsetMinutes: number): string =>
  new Date(nowMs + offsetMinutes * 60_000).toISOString().replace('.000Z', 'Z')
const decided = (type: string, more: object = {}): object => ({
  conditions: [{ type, status: 'True', reason: 'Because', message: '', lastTransitionTime: time(0), ...more }],
})
const certificateChain = one.issue(publicKey, { fromMs: nowMs, seconds: 7200 })
const issued = {
  ...decided('Issued'),
  certificateChain,
  notBefore: time(0),
  beginRefreshAt: time(60),
  notAfter: time(120),
}

function outcome(status: object, before: object = {}, atMs = nowMs): readonly string[] {
  const at = (state: object): never => ({ ...pending, status: state }) as never
  const errors = podCertificateRequest.validateStatusUpdate?.(at(status), at(before), atMs) ?? []
  return errors.map(({ field, message }) => `${field}: ${message}`)
}

test('a signer decides once, and says nothing else of what it refuses', () => {
  assert.deepEqual(outcome({}), [])
  for (const type of ['Denied', 'Failed']) assert.deepEqual(outcome(decided(type)), [])
  assert.deepEqual(outcome(issued), [])
  assert.deepEqual(outcome(issued, issued), [])
  const after = 'status: Invalid value: immutable after PodCertificateRequest is issued, denied, or failed'
  assert.deepEqual(outcome(decided('Failed'), decided('Denied')), [after])
  assert.deepEqual(outcome({}, issued), [after])
  assert.deepEqual(outcome({ ...issued, ...decided('Denied') }), [
    'status: Invalid value: non-condition status fields must be empty when denying or failing the PodCertificateRequest',
  ])
  assert.deepEqual(outcome({ certificateChain }), [
    'status: Invalid value: status is immutable unless transitioning to "Issued", "Denied", or "Failed"',
  ])
  assert.deepEqual(outcome(decided('Ready')), [
    'status.conditions.[0].type: Unsupported value: "Ready": supported values: "Issued", "Denied", "Failed"',
  ])
  assert.deepEqual(outcome(decided('Denied', { status: 'False' })), [
    'status.conditions.[0].status: Unsupported value: "False": supported values: "True"',
  ])
})

test('a certificate is for the key, the times and the life that were asked for', () => {
  const chainOf = (seconds: number, fromMs = nowMs): object => ({
    certificateChain: one.issue(publicKey, { fromMs, seconds }),
    notAfter: new Date(fromMs + seconds * 1000).toISOString(),
  })
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ certificateChain: '' }, /must contain at least one certificate$/],
    [{ certificateChain: one.key }, /must consist entirely of CERTIFICATE PEM blocks$/],
    [{ certificateChain: certificateChain + one.key }, /must consist entirely of CERTIFICATE PEM blocks$/],
    [{ certificateChain: leaf }, /leaf certificate was not issued to the requested public key$/],
    [{ notBefore: undefined }, /^status.notBefore: Required value: must be present and consistent/],
    [{ beginRefreshAt: undefined }, /^status.beginRefreshAt: Required value: must be present and in the range/],
    [{ notBefore: time(1) }, /^status.notBefore: .* encoded in the leaf certificate$/],
    [{ notAfter: time(1) }, /^status.notAfter: .* encoded in the leaf certificate$/],
    [{ beginRefreshAt: time(9) }, /^status.beginRefreshAt: .* at least 10 minutes after status.notBefore$/],
    [{ beginRefreshAt: time(111) }, /^status.beginRefreshAt: .* at least 10 minutes before status.notAfter$/],
    [chainOf(3000), /leaf certificate lifetime must be >= 1 hour$/],
    [chainOf(90_000), /leaf certificate lifetime must be <= spec.maxExpirationSeconds \(86400\)$/],
  ]
  for (const [change, message] of cases) assert.match(outcome({ ...issued, ...change }).join('\n'), message)
  const late = outcome(issued, {}, nowMs + 5 * 60_000).join()
  assert.match(late, /must be set to within 5 minutes of kube-apiserver's current time$/)
})
