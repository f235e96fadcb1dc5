import assert from 'node:assert/strict'
import { createPublicKey, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import type { PodCertificateRequest, PodCertificateRequestStatus } from '#api/types/certificates.v1beta1.ts'
import type { Pod, PodCertificateProjection } from '#api/types/core.v1.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events.ts'
import { formatTime, manualClock, type ManualClock } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import { testAuthority } from '#lib/x509/authority.case.ts'
import { readLooseBlocks } from '#lib/x509/pem.ts'
import { parseSigningRequestDer } from '#lib/x509/signing-request.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import { createPodCertificates, type Credentials } from './pod-certificates.ts'

const minute = 60_000
const hour = 60 * minute
const pod = { metadata: { name: 'p', namespace: 'ns', uid: 'u' }, spec: { containers: [] } } as unknown as Pod
const source: PodCertificateProjection = { signerName: 'example.com/s', keyType: 'ED25519', credentialBundlePath: 'c' }

interface World {
  readonly clock: ManualClock
  readonly requests: Map<string, PodCertificateRequest>
  readonly events: string[]
  /** The API takes no requests. */
  isDown: boolean
  ask(change?: Partial<PodCertificateProjection>): Promise<Credentials>
  /** What the signer says of the newest request. */
  decide(status: PodCertificateRequestStatus): void
  issue(seconds?: number): void
  forget(): void
}

function world(): World {
  const clock = manualClock(Date.UTC(2026, 0, 1))
  const requests = new Map<string, PodCertificateRequest>()
  const events: string[] = []
  const create = async (object: object): Promise<PodCertificateRequest> => {
    if (made.isDown) throw new Error('the server is away')
    const name = `req-${requests.size + 1}`
    const request = { ...object, metadata: { ...(object as PodCertificateRequest).metadata, name } } as never
    requests.set(name, request)
    return request
  }
  const client = {
    resource: () => ({ create, get: async () => ({ metadata: { uid: 'account-uid' } }) }),
  } as unknown as Client
  const objects = {
    follow: async () => ({ get: (name: string) => requests.get(name) }),
  } as unknown as PodObjects
  const recorder = {
    record: (_about: unknown, type: string, reason: string, message: string) =>
      void events.push(`${type} ${reason}: ${message}`),
  } as unknown as EventRecorder
  const random = seededRandom(3)
  const certificates = createPodCertificates({ client, clock, random, events: recorder, nodeName: 'n1' })
  const authority = testAuthority('signer', clock.now())
  const made: World = {
    ...{ clock, requests, events, isDown: false },
    ask: (change) =>
      certificates.credentials({
        ...{ pod, objects, place: 'v/0', nodeUid: 'node-uid' },
        source: { ...source, ...change },
      }),
    decide(status) {
      const [name = '', request] = [...requests].at(-1) ?? []
      requests.set(name, { ...(request as PodCertificateRequest), status })
    },
    issue(seconds = 7200) {
      const [, request] = [...requests].at(-1) ?? []
      const stub = parseSigningRequestDer(Buffer.from(request?.spec.stubPKCS10Request ?? '', 'base64'))
      const fromMs = clock.now()
      made.decide({
        conditions: [{ type: 'Issued', status: 'True', reason: 'R', message: '', lastTransitionTime: '' }],
        certificateChain: `words\n${authority.issue(stub.publicKey, { fromMs, seconds })}${authority.certificate}`,
        notBefore: formatTime(fromMs),
        beginRefreshAt: formatTime(fromMs + seconds * 500),
        notAfter: formatTime(fromMs + seconds * 1000),
      })
    },
    forget: () => certificates.forget('u'),
  }
  return made
}

const notIssued = { message: 'credential bundle is not issued yet' }

test('a certificate is asked for once, as the pod, and comes with its key', async () => {
  const w = world()
  await assert.rejects(w.ask({ maxExpirationSeconds: 7200, userAnnotations: { 'a/b': 'c' } }), notIssued)
  await assert.rejects(w.ask(), notIssued)
  assert.equal(w.requests.size, 1)
  const { metadata, spec } = w.requests.get('req-1') as PodCertificateRequest
  const { stubPKCS10Request = '', ...rest } = spec
  assert.deepEqual(rest, {
    signerName: 'example.com/s',
    ...{ podName: 'p', podUID: 'u', nodeName: 'n1', nodeUID: 'node-uid' },
    ...{ serviceAccountName: 'default', serviceAccountUID: 'account-uid' },
    maxExpirationSeconds: 7200,
    unverifiedUserAnnotations: { 'a/b': 'c' },
  })
  assert.deepEqual(metadata.ownerReferences, [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }])
  assert.equal(parseSigningRequestDer(Buffer.from(stubPKCS10Request, 'base64')).subject.commonName, '')
  w.issue()
  const { privateKey, chain, refreshAtMs } = await w.ask()
  const spki = (key: ReturnType<typeof createPublicKey>): Buffer => key.export({ type: 'spki', format: 'der' })
  assert.ok(spki(createPublicKey(privateKey)).equals(spki(new X509Certificate(chain).publicKey)))
  assert.equal(readLooseBlocks(chain).length, 2)
  assert.match(chain, /^-----BEGIN CERTIFICATE/)
  const dueMs = w.clock.now() + hour
  assert.ok(refreshAtMs >= dueMs && refreshAtMs < dueMs + 5 * minute)
})

test('every type of key can be asked for, and no other', async () => {
  for (const keyType of ['RSA3072', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519']) {
    const w = world()
    await assert.rejects(w.ask({ keyType }), notIssued)
    w.issue()
    assert.match((await w.ask({ keyType })).privateKey, /^-----BEGIN PRIVATE KEY-----\n/, keyType)
  }
  await assert.rejects(world().ask({ keyType: 'DSA' }), /unknown key type "DSA"/)
})

test('the next certificate is asked for when it is time; until it comes the pod keeps what it has', async () => {
  const w = world()
  await assert.rejects(w.ask(), notIssued)
  w.issue()
  const first = await w.ask()
  await w.clock.advance(hour - minute)
  assert.deepEqual(await w.ask(), first)
  assert.equal(w.requests.size, 1)
  await w.clock.advance(6 * minute)
  const meanwhile = await w.ask()
  assert.equal(w.requests.size, 2)
  assert.equal(meanwhile.chain, first.chain)
  assert.equal(meanwhile.refreshAtMs, w.clock.now() + minute)
  w.issue()
  const second = await w.ask()
  assert.notEqual(second.chain, first.chain)
  assert.notEqual(second.privateKey, first.privateKey)
  assert.deepEqual(w.events, [])
})

test('a renewal that does not come is told of once when it is late and once when the certificate has ended', async () => {
  const w = world()
  await assert.rejects(w.ask(), notIssued)
  w.issue()
  const first = await w.ask()
  w.isDown = true
  await w.clock.advance(first.refreshAtMs - w.clock.now())
  assert.equal((await w.ask()).chain, first.chain)
  assert.deepEqual(w.events, [])
  await w.clock.advance(11 * minute)
  await w.ask()
  await w.ask()
  const overdue = 'Warning CertificateOverdueForRefresh: PodCertificate refresh overdue'
  assert.deepEqual(w.events, [overdue])
  await w.clock.advance(hour)
  await w.ask()
  assert.deepEqual(w.events, [overdue, 'Warning CertificateExpired: PodCertificate expired'])
  w.isDown = false
  await w.ask()
  w.issue()
  assert.notEqual((await w.ask()).chain, first.chain)
})

for (const [type, text, words] of [
  ['Denied', 'denied', 'was denied'],
  ['Failed', 'failed', 'failed'],
] as const) {
  test(`a request that is ${text} is not made again`, async () => {
    const w = world()
    await assert.rejects(w.ask(), notIssued)
    w.decide({ conditions: [{ type, status: 'True', reason: 'No', message: 'never', lastTransitionTime: '' }] })
    const message = `PodCertificateRequest was permanently ${text}: reason="No" message="never"`
    await assert.rejects(w.ask(), { message })
    await assert.rejects(w.ask(), { message })
    assert.equal(w.requests.size, 1)
    assert.deepEqual(w.events, [
      `Warning ${type}: PodCertificateRequest ns/req-1 ${words}, reason="No", message="never"`,
    ])
  })
}

test('a request that was deleted is made again after a while', async () => {
  const w = world()
  await assert.rejects(w.ask(), notIssued)
  w.requests.clear()
  await w.clock.advance(9 * minute)
  await assert.rejects(w.ask(), notIssued)
  await w.clock.advance(7 * minute)
  await assert.rejects(w.ask(), /"ns\/req-1" appears to have been deleted/)
  await assert.rejects(w.ask(), notIssued)
  assert.equal(w.requests.size, 1)
})

test('a pod that has gone leaves no key', async () => {
  const w = world()
  await assert.rejects(w.ask(), notIssued)
  w.issue()
  await w.ask()
  w.forget()
  await assert.rejects(w.ask(), notIssued)
  assert.equal(w.requests.size, 2)
})
