import assert from 'node:assert/strict'
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parseCriLine } from './cri-line.ts'
import { readLog, type LogOptions } from './read-log.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coracle-logs-'))
})
after(() => rm(folder, { recursive: true }))

test('a line of the format', () => {
  assert.deepEqual(parseCriLine('2026-01-01T00:00:00Z stderr P a b'), {
    timestamp: '2026-01-01T00:00:00Z',
    stream: 'stderr',
    text: 'a b',
  })
  assert.equal(parseCriLine('2026-01-01T00:00:00Z stdout F ')?.text, '\n')
  assert.equal(parseCriLine('2026-01-01T00:00:00Z stdout'), undefined)
})

const time = (second: number): string => `2026-01-01T00:00:0${second}.5Z`
const text = `${time(1)} stdout F one\n${time(2)} stderr F two\n${time(3)} stdout P thr\n${time(3)} stdout F ee\n${time(4)} stdout F four\n`
const ended = { isRunning: () => false, onChange: () => () => undefined }

async function read(options: Partial<LogOptions>): Promise<string> {
  const path = join(folder, 'c.log')
  await writeFile(path, text)
  const chunks: Buffer[] = []
  const log = readLog(
    { path, ...ended },
    { follow: false, timestamps: false, ...options },
    new AbortController().signal,
  )
  for await (const chunk of log) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

test('reading by options', async () => {
  const cases: readonly [Partial<LogOptions>, string][] = [
    [{}, 'one\ntwo\nthree\nfour\n'],
    [{ tailLines: 0 }, ''],
    [{ tailLines: 1 }, 'four\n'],
    [{ tailLines: 3 }, 'three\nfour\n'],
    [{ tailLines: 99 }, 'one\ntwo\nthree\nfour\n'],
    [{ stream: 'stderr' }, 'two\n'],
    [{ sinceMs: Date.parse(time(3)) }, 'three\nfour\n'],
    [{ limitBytes: 5 }, 'one\nt'],
    [{ timestamps: true, tailLines: 3 }, `${time(3)} three\n${time(4)} four\n`],
    [{ follow: true }, 'one\ntwo\nthree\nfour\n'],
  ]
  for (const [options, expected] of cases) assert.equal(await read(options), expected, JSON.stringify(options))
})

test('following goes on over a rotation and ends with the container', async () => {
  const path = join(folder, 'f.log')
  await writeFile(path, `${time(1)} stdout F one\n`)
  let isRunning = true
  let notify = (): void => undefined
  const source = {
    path,
    isRunning: () => isRunning,
    onChange: (listener: () => void) => {
      notify = listener
      return () => undefined
    },
  }
  const log = readLog(source, { follow: true, timestamps: false }, new AbortController().signal)
  const next = async (): Promise<string> => String((await log.next()).value)
  assert.equal(await next(), 'one\n')
  await appendFile(path, `${time(2)} stdout F two\n`)
  assert.equal(await next(), 'two\n')
  await rename(path, `${path}.1`)
  await writeFile(path, `${time(3)} stdout F three\n`)
  assert.equal(await next(), 'three\n')
  isRunning = false
  const end = log.next()
  notify()
  assert.equal((await end).done, true)
})

test('following ends when the reader goes', async () => {
  const path = join(folder, 'g.log')
  await writeFile(path, '')
  const stop = new AbortController()
  const log = readLog(
    { path, isRunning: () => true, onChange: () => () => undefined },
    { follow: true, timestamps: false },
    stop.signal,
  )
  const end = log.next()
  setImmediate(() => stop.abort())
  assert.equal((await end).done, true)
})
