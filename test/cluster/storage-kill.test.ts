import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import { writers, type WriterReport } from './harness/storage-writer.ts'

const kills = Number(process.env['CORACLE_KILLS'] ?? 200)
const seed = Number(process.env['CORACLE_SEED'] ?? 1)
const writerProgram = fileURLToPath(new URL('./harness/storage-writer.ts', import.meta.url))

/** What the killed processes have promised so far. */
class Promises {
  readonly #numbers = Array.from({ length: writers }, () => 0)
  #revision = 1
  #compactedRevision = 1
  acknowledged = 0

  /** Checks a line against everything promised before, and takes it as a promise itself. */
  add(line: WriterReport): void {
    if ('found' in line) return this.#restarted(line)
    assert.equal(line.number, (this.#numbers[line.acked] as number) + 1)
    assert.ok(line.revision > this.#revision - writers, 'acknowledgements come in the order of revisions, but for ties')
    this.#numbers[line.acked] = line.number
    this.#revision = Math.max(this.#revision, line.revision)
    this.acknowledged++
  }

  #restarted(line: Extract<WriterReport, { found: unknown }>): void {
    for (const [writer, number] of line.found.entries()) {
      const promised = this.#numbers[writer] as number
      assert.ok(number >= promised, `writer ${writer}: commit ${promised} was acknowledged, but ${number} is the last`)
      assert.ok(number <= promised + 1, `writer ${writer}: commit ${number} was never made`)
      this.#numbers[writer] = number
    }
    assert.ok(line.revision >= this.#revision, `revision ${this.#revision} was acknowledged, not ${line.revision}`)
    assert.ok(line.compactedRevision >= this.#compactedRevision && line.compactedRevision <= line.revision)
    this.#revision = line.revision
    this.#compactedRevision = line.compactedRevision
  }
}

test(`no acknowledged commit is lost or torn by ${kills} kill -9`, { timeout: 600_000 }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'coracle-kill-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const random = seededRandom(seed)
  const promises = new Promises()
  // The first one also leaves its compiled code behind, which a killed process cannot: the others start faster.
  await runOnce(folder, promises)
  for (let kill = 0; kill < kills; kill++) {
    // Mostly while writing, at times while opening.
    const afterFoundMs = random.next() < 0.85 ? random.next() * 200 : undefined
    await runAndKill({ folder, kill, promises, afterFoundMs, afterStartMs: 50 + random.next() * 100 })
  }
  await runOnce(folder, promises)
  context.diagnostic(`${promises.acknowledged} acknowledged commits, seed ${seed}`)
  assert.ok(promises.acknowledged > kills, `only ${promises.acknowledged} commits were acknowledged`)
})

interface Life {
  readonly folder: string
  readonly kill: number
  readonly promises: Promises
  /** How long it may write; undefined: it is killed at `afterStartMs`, whatever it does. */
  readonly afterFoundMs: number | undefined
  readonly afterStartMs: number
}

async function runAndKill({ folder, kill, promises, afterFoundMs, afterStartMs }: Life): Promise<void> {
  const writer = startWriter(folder, seed + kill)
  const killAfter = (delayMs: number): void => void systemClock.sleep(delayMs).then(() => writer.kill())
  if (afterFoundMs === undefined) killAfter(afterStartMs)
  const { code, complaints } = await writer.follow((line) => {
    promises.add(line)
    if ('found' in line && afterFoundMs !== undefined) killAfter(afterFoundMs)
  })
  assert.equal(code, 'SIGKILL', `the writer ended by itself: ${complaints}`)
}

async function runOnce(folder: string, promises: Promises): Promise<void> {
  const { code, complaints } = await startWriter(folder).follow((line) => promises.add(line))
  assert.equal(code, 0, complaints)
}

interface WriterProcess {
  kill(): void
  /** Calls `onLine` with each report until the process ends, and says how it ended and what it wrote to stderr. */
  follow(onLine: (line: WriterReport) => void): Promise<{ code: number | string | null; complaints: string }>
}

function startWriter(folder: string, writerSeed?: number): WriterProcess {
  const seedArgument = writerSeed === undefined ? [] : [String(writerSeed)]
  const child = spawn(process.execPath, [writerProgram, join(folder, 'data', 'state.db'), ...seedArgument], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') },
  })
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  let complaints = ''
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  return {
    kill: () => void child.kill('SIGKILL'),
    async follow(onLine) {
      try {
        for await (const text of createInterface(child.stdout)) {
          // A kill may cut the last line short: what it began to say was not said.
          if (text.endsWith('}')) onLine(JSON.parse(text) as WriterReport)
        }
      } finally {
        child.kill('SIGKILL')
      }
      const [code, signal] = await closed
      return { code: signal ?? code, complaints }
    },
  }
}
