/**
 * Goal: a store in a real etcd keeps the store's contract. Method: the suite and the model that every store passes, each
 * on an empty etcd of its own, and then what only happens with a store in other processes.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { newAuthority, newLeaf } from '#apiserver/certificates/certificate-authority.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { systemRandom } from '#lib/random.ts'
import type { KeyPair } from '#lib/x509/certificate.ts'
import type { EtcdTls } from '#storage/etcd/etcd-connection.ts'
import { openEtcdStore } from '#storage/etcd/etcd-store.ts'
import { storeModelCase } from '#storage/store-model.case.ts'
import { put, storeCases } from '#storage/store.case.ts'
import { StoreUnavailableError, type Store } from '#storage/store.ts'
import { eventually } from './harness/eventually.ts'
import { startEtcd, type Etcd } from './harness/etcd.ts'

function openStore({ servers }: Etcd, keyPrefix = ''): Promise<Store> {
  return openEtcdStore({ servers, keyPrefix, clock: systemClock, log: silentLog })
}

storeCases('etcd', async (context) => {
  const etcd = await startEtcd()
  context.after(() => etcd[Symbol.asyncDispose]())
  return openStore(etcd)
})

/** The etcd of the model's latest history: the one before is closed by then. */
let latest: Etcd | undefined
after(() => latest?.[Symbol.asyncDispose]())

storeModelCase({
  name: 'etcd',
  async open() {
    await latest?.[Symbol.asyncDispose]()
    latest = await startEtcd()
    return openStore(latest)
  },
  async reopen(store) {
    await store.close()
    return openStore(latest as Etcd)
  },
  runs: 25,
})

/** Every event under a prefix, as `revision key=text`, until disposed. */
function follow(store: Store, prefix: string, from: number): { readonly lines: string[] } & AsyncDisposable {
  const end = new AbortController()
  const lines: string[] = []
  const reading = (async () => {
    for await (const events of store.watch(prefix, { from, signal: end.signal })) {
      for (const { key, revision, value } of events)
        lines.push(`${revision} ${key}=${value && Buffer.from(value).toString()}`)
    }
  })()
  return {
    lines,
    async [Symbol.asyncDispose]() {
      end.abort()
      await reading
    },
  }
}

interface Written {
  /** The last number whose commit was acknowledged, and its revision. */
  acknowledged: number
  revision: number
  attempted: number
}

/** Writes 1, 2, 3 … under a key of its own until told to stop; a number whose fate is unknown is looked up. */
async function writeNumbers(store: Store, key: string, stop: AbortSignal): Promise<Written> {
  const written: Written = { acknowledged: 0, revision: 0, attempted: 0 }
  while (!stop.aborted) {
    written.attempted++
    try {
      const { revision } = await store.commit([put(key, String(written.attempted), written.revision)])
      Object.assign(written, { acknowledged: written.attempted, revision })
    } catch (error) {
      assert.ok(error instanceof StoreUnavailableError, String(error))
      const entry = await store.get(key)
      const found = Number(entry?.value.toString() ?? 0)
      assert.ok(found === written.acknowledged || found === written.attempted, `${key} lost ${written.acknowledged}`)
      Object.assign(written, { acknowledged: found, attempted: found, revision: entry?.modRevision ?? 0 })
    }
  }
  return written
}

test('kill -9 of etcd loses no acknowledged write, and the store goes on by itself', async () => {
  await using etcd = await startEtcd()
  const store = await openStore(etcd)
  const stop = new AbortController()
  const writers = ['w/a', 'w/b', 'w/c', 'w/d'].map((key) => writeNumbers(store, key, stop.signal))
  const watch = follow(store, 'w/', 1)
  for (let kill = 0; kill < 3; kill++) {
    await systemClock.sleep(400)
    await etcd.kill()
    etcd.start()
  }
  const before = watch.lines.length
  await eventually(() => (watch.lines.length > before + 20 ? true : undefined), { what: 'writes go on' })
  stop.abort()
  const written = await Promise.all(writers)
  const revision = await store.currentRevision?.()
  await eventually(() => (watch.lines.at(-1)?.startsWith(`${revision} `) ? true : undefined), {
    what: 'the watch ends',
  })
  await watch[Symbol.asyncDispose]()
  const expected = written.map(({ acknowledged }) => Array.from({ length: acknowledged }, (_, i) => String(i + 1)))
  const seen = ['w/a', 'w/b', 'w/c', 'w/d'].map((key) =>
    watch.lines.filter((line) => line.includes(` ${key}=`)).map((line) => line.split('=')[1]),
  )
  assert.deepEqual(seen, expected)
  await store.close()
})

test('what one process writes the other sees, also when others use the same etcd', { timeout: 20_000 }, async () => {
  await using etcd = await startEtcd()
  const [ours, theirs, foreign] = await Promise.all([openStore(etcd), openStore(etcd), openStore(etcd, '/other')])
  const told: number[] = []
  const end = new AbortController()
  const onProgress = (revision: number): void => void told.push(revision)
  const watching = Array.fromAsync(ours.watch('/registry/', { from: 1, signal: end.signal, onProgress }))
  const { revision } = await theirs.commit([put('/registry/a', 'A')])
  assert.equal(await ours.currentRevision?.(), revision)
  await foreign.commit([put('/registry/a', 'foreign')])
  const newest = (await ours.currentRevision?.()) ?? 0
  assert.equal(newest, revision + 1)
  await eventually(() => ((told.at(-1) ?? 0) >= newest ? true : undefined), { what: 'the watch passes foreign writes' })
  end.abort()
  assert.deepEqual(
    (await watching).flat().map(({ key }) => key),
    ['/registry/a'],
  )
  assert.deepEqual(
    (await foreign.list('')).entries.map(({ key }) => key),
    ['/registry/a'],
  )
  await theirs.compact(revision + 1)
  const late = await openStore(etcd)
  assert.equal(late.compactedRevision(), revision + 1)
  await Promise.all([ours, theirs, foreign, late].map((store) => store.close()))
})

test('a member that dies is replaced by the next, for calls and watches', { timeout: 60_000 }, async () => {
  await using etcd = await startEtcd({ members: 3 })
  const store = await openStore(etcd)
  const watch = follow(store, '', 1)
  await store.commit([put('a', '1')])
  await etcd.kill(0)
  await eventually(() => store.commit([put('a', '2')]), { what: 'the others answer' })
  assert.equal((await store.get('a'))?.value.toString(), '2')
  await eventually(() => (watch.lines.at(-1)?.endsWith('a=2') ? true : undefined), { what: 'the watch goes on' })
  await etcd.kill(1)
  await assert.rejects(store.commit([put('a', '3')]), StoreUnavailableError)
  etcd.start(0)
  await eventually(() => store.commit([put('a', '4')]), { what: 'two of three answer' })
  await eventually(() => (watch.lines.at(-1)?.endsWith('a=4') ? true : undefined), { what: 'the watch resumes' })
  await watch[Symbol.asyncDispose]()
  await store.close()
})

test('etcd over TLS takes only who shows a certificate', { timeout: 30_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coracle-etcd-tls-'))
  const tools = { clock: systemClock, random: systemRandom }
  const authority = newAuthority('etcd', tools)
  const leaf = (commonName: string, address = '127.0.0.1'): KeyPair =>
    newLeaf({ subject: { commonName }, usages: ['serverAuth', 'clientAuth'], ipAddresses: [address] }, authority, tools)
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  const ca = write('ca.pem', authority.certificate)
  const start = (name: string, { certificate, key }: KeyPair): Promise<Etcd> =>
    startEtcd({ tls: { ca, certificate: write(`${name}.pem`, certificate), key: write(`${name}.key`, key) } })
  const client = leaf('coracle')
  await using etcd = await start('etcd', leaf('etcd'))
  await using elsewhere = await start('elsewhere', leaf('elsewhere', '192.0.2.1'))
  const open = (tls: EtcdTls, { servers } = etcd): Promise<Store> =>
    openEtcdStore({ servers, tls, clock: systemClock, log: silentLog })
  const store = await open({ ca: authority.certificate, certificate: client.certificate, key: client.key })
  assert.deepEqual(await store.commit([put('a', 'A')]), { revision: 2 })
  await store.close()
  const stranger = newAuthority('etcd', tools)
  const refused = [
    open({ ca: authority.certificate }),
    open({ ...client, ca: stranger.certificate }),
    open({ ...client, ca: authority.certificate }, elsewhere),
  ]
  for (const outcome of await Promise.allSettled(refused)) {
    assert.ok(outcome.status === 'rejected' && outcome.reason instanceof StoreUnavailableError)
  }
  rmSync(folder, { recursive: true })
})

test('a list larger than one message comes in pages of one revision', { timeout: 60_000 }, async () => {
  await using etcd = await startEtcd()
  const store = await openStore(etcd)
  const value = Buffer.alloc(1_400_000, 'x')
  for (let i = 0; i < 50; i++) await store.commit([{ key: `k/${String(i).padStart(2, '0')}`, value }])
  const { entries, remaining, revision } = await store.list('k/')
  assert.deepEqual([entries.length, remaining, revision], [50, 0, 51])
  assert.ok(entries.every((entry) => entry.value.length === value.length))
  await assert.rejects(store.commit([{ key: 'k', value: Buffer.alloc(2_000_000) }]), /request is too large/)
  await store.close()
})
