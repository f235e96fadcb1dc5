import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { manualClock, systemClock } from '#lib/clock.ts'
import { formatMetrics } from '#lib/metrics/metric.ts'
import { jsonLog } from '#lib/log.ts'
import { ensureInhibitDelay } from './inhibit-delay.ts'
import { logindEnd } from './logind-end.ts'
import { takeShutdownLock } from './shutdown-lock.ts'
import { ShutdownRecord } from './shutdown-record.ts'

async function temporaryFolder(t: { after(action: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'coracle-shutdown-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

test('where there is no system bus one line says so, and nothing more is done', async (t) => {
  const folder = await temporaryFolder(t)
  const lines: string[] = []
  const log = jsonLog({ clock: systemClock, level: 'info', write: (line) => lines.push(line) })
  const busAddress = `unix:path=${join(folder, 'none')}`
  const end = logindEnd({ clock: systemClock, log, busAddress, dropIn: join(folder, 'file') })
  const subject = { neededMs: 1000, begin: () => Promise.resolve(), cancel: () => undefined }
  await end.follow(subject, new AbortController().signal)
  assert.equal(lines.length, 1)
  assert.match(lines.join(), /systemd-logind does not tell this node when the machine goes down.*ENOENT/)
})

/** A systemd-logind that has read its configuration at the so-manieth look after it was told to. */
function fakeLogind(before: number, after: number, looks = 1) {
  let left = Infinity
  return {
    inhibitDelayMs: () => Promise.resolve(--left <= 0 ? after : before),
    reload: () => {
      left = looks
      return Promise.resolve()
    },
  }
}

test('systemd-logind is told to wait for longer only where it would not wait long enough', async (t) => {
  const folder = await temporaryFolder(t)
  const clock = manualClock()
  const dropIn = join(folder, 'logind.conf.d', '99-test.conf')
  assert.equal(await ensureInhibitDelay(fakeLogind(5000, 0), 5000, { dropIn, clock }), 5000)
  assert.deepEqual(await readdir(folder), [])
  const ensured = ensureInhibitDelay(fakeLogind(5000, 31_000, 3), 30_500, { dropIn, clock })
  while ((await readFile(dropIn, 'utf8').catch(() => '')) === '') await new Promise(setImmediate)
  await clock.advance(1000)
  assert.equal(await ensured, 31_000)
  assert.equal(
    await readFile(dropIn, 'utf8'),
    `# Written by coracle: the pods of this node need so long to end before the machine goes down.
[Login]
InhibitDelayMaxSec=31
`,
  )
})

test('a lock is held by a child until it is released', async () => {
  const lock = await takeShutdownLock(['cat'])
  lock.release()
  await lock.gone
})

test('a lock that is not given says why', async () => {
  await assert.rejects(takeShutdownLock(['sh', '-c', 'echo no >&2; exit 1']), /^Error: sh: no$/)
  await assert.rejects(takeShutdownLock(['/no/such/program']), /ENOENT/)
})

test('when pods were ended is known after a restart', async (t) => {
  const folder = await temporaryFolder(t)
  const clock = manualClock()
  const first = new ShutdownRecord(folder, clock)
  await first.begin()
  await clock.advance(1500)
  await first.end()
  const second = new ShutdownRecord(folder, clock)
  await second.load()
  assert.equal(formatMetrics(second.read()), formatMetrics(first.read()))
  assert.match(formatMetrics(second.read()), /^kubelet_graceful_shutdown_end_time_seconds 1767225601\.5$/m)
})
