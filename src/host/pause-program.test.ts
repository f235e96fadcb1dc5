import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { pauseProgram } from './pause-program.ts'

const folder = mkdtempSync(join(tmpdir(), 'coracle-pause-'))
const program = join(folder, 'pause')
writeFileSync(program, pauseProgram('amd64'), { mode: 0o755 })
process.once('exit', () => rmSync(folder, { recursive: true }))

const runsHere = process.platform === 'linux' && process.arch === 'x64'
const skip = runsHere ? false : 'the program is for Linux on x86-64'
const skipPidOne = runsHere && process.getuid?.() === 0 ? false : 'a PID namespace needs root on Linux'

interface ProcessState {
  readonly state: string
  readonly parent: number
  readonly cpuTicks: number
}

function stateOf(pid: number): ProcessState | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] ?? '', parent: Number(fields[1]), cpuTicks: Number(fields[11]) + Number(fields[12]) }
  } catch {
    return undefined
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((candidate) => candidate > 0 && stateOf(candidate)?.parent === pid)
}

/** Looks until something is so; a process gives no event for falling asleep. */
async function until<T>(look: () => T | undefined | false): Promise<T> {
  for (let tries = 0; tries < 500; tries++) {
    const seen = look()
    if (seen) return seen
    await systemClock.sleep(10)
  }
  throw new Error('It did not happen within 5 s')
}

async function exitOf(child: ChildProcess): Promise<unknown> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  return code ?? signal
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`the pause program sleeps, survives stop and continue, and ends on ${signal}`, { skip }, async () => {
    const child = spawn(program, { stdio: 'ignore' })
    const pid = child.pid ?? 0
    const ended = exitOf(child)
    await until(() => stateOf(pid)?.state === 'S')
    child.kill('SIGSTOP')
    await until(() => stateOf(pid)?.state === 'T')
    child.kill('SIGCONT')
    await until(() => stateOf(pid)?.state === 'S')
    assert.equal(stateOf(pid)?.cpuTicks, 0)
    child.kill(signal)
    assert.equal(await ended, 0)
  })
}

test('the pause program with pid 1 reaps orphans and ends on SIGTERM', { skip: skipPidOne }, async () => {
  // The shell leaves an orphan behind and becomes the program under test.
  const script = `(sleep 0.3 &) ; exec ${program}`
  const outer = spawn('unshare', ['--pid', '--fork', 'sh', '-c', script], { stdio: 'ignore' })
  const ended = exitOf(outer)
  const pid = await until(() => childrenOf(outer.pid ?? 0).find((candidate) => stateOf(candidate)?.state === 'S'))
  await until(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'pause')
  await until(() => childrenOf(pid).length === 1)
  await until(() => childrenOf(pid).length === 0)
  assert.equal(stateOf(pid)?.state, 'S')
  process.kill(pid, 'SIGTERM')
  assert.equal(await ended, 0)
})

const digests = {
  amd64: '8457924e7c131beb',
  arm64: '6f8a7385933fe47e',
} as const

for (const [architecture, digest] of Object.entries(digests)) {
  test(`pauseProgram() has the reviewed bytes for ${architecture}`, () => {
    const bytes = pauseProgram(architecture as keyof typeof digests)
    assert.equal(createHash('sha256').update(bytes).digest('hex').slice(0, 16), digest)
  })
}
