import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { manualClock, type ManualClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { seededRandom } from '#lib/random.ts'
import { issueSelfSigned, type KeyPair } from '#lib/x509/certificate.ts'
import { splitPair } from '#lib/x509/key-pair-text.ts'
import { KeptCertificate } from './kept-certificate.ts'

const dayMs = 86_400_000
const lifeMs = 100 * dayMs

function newPair(clock: ManualClock): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const notBeforeMs = clock.now()
  const dates = { notBeforeMs, notAfterMs: notBeforeMs + lifeMs }
  const request = { subject: { commonName: 'n' }, publicKey, serial: new Uint8Array(16), keyUsages: [], ...dates }
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  return { certificate: issueSelfSigned(request, privateKey), key }
}

/** A certificate whose requests the test answers. */
function kept(clock: ManualClock, pair: KeyPair | undefined, request: () => Promise<KeyPair>) {
  const files = new Map<string, string>()
  const certificate = new KeptCertificate({
    files: { read: (name) => files.get(name), write: (name, text) => void files.set(name, text) },
    fileName: 'x.pem',
    pair,
    request,
    clock,
    random: seededRandom(1),
    log: silentLog,
  })
  const stopping = new AbortController()
  const running = certificate.run(stopping.signal)
  const stop = async (): Promise<void> => {
    stopping.abort()
    await running
  }
  return { certificate, files, stop }
}

test('a missing certificate is obtained at once, kept, and handed to listeners', async () => {
  const clock = manualClock()
  const pair = newPair(clock)
  const { certificate, files, stop } = kept(clock, undefined, async () => pair)
  const seen: KeyPair[] = []
  certificate.listen((next) => seen.push(next))
  await clock.advance(0)
  assert.equal(certificate.current, pair)
  assert.deepEqual(seen, [pair])
  assert.deepEqual(splitPair(files.get('x.pem') ?? ''), pair)
  await stop()
})

test('a certificate is renewed between 70 and 90 % of its life, and not before', async () => {
  const clock = manualClock()
  let requests = 0
  const renewed = async (): Promise<KeyPair> => {
    requests++
    return newPair(clock)
  }
  const first = newPair(clock)
  const { certificate, stop } = kept(clock, first, renewed)
  await clock.advance(0.7 * lifeMs - dayMs)
  assert.equal(requests, 0)
  assert.equal(certificate.current, first)
  await clock.advance(0.2 * lifeMs + dayMs)
  assert.equal(requests, 1)
  assert.notEqual(certificate.current, first)
  await stop()
})

test('a failed renewal is tried again, ever more slowly, and keeps what there is', async () => {
  const clock = manualClock()
  let requests = 0
  const refused = async (): Promise<KeyPair> => {
    requests++
    throw new Error('not now')
  }
  const { certificate, stop } = kept(clock, undefined, refused)
  await clock.advance(10_000)
  assert.equal(requests, 4)
  await clock.advance(3_600_000)
  assert.ok(requests > 10 && requests < 25, `${requests} requests in an hour`)
  assert.equal(certificate.current, undefined)
  await stop()
})

test('a clock that is far ahead does not make a storm of requests', async () => {
  const clock = manualClock()
  const stale = newPair(clock)
  await clock.advance(2 * lifeMs)
  let requests = 0
  const { stop } = kept(clock, undefined, async () => {
    requests++
    return stale
  })
  await clock.advance(3_600_000)
  assert.ok(requests <= 61, `${requests} requests in an hour`)
  await stop()
})
