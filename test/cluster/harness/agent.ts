import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { hostLayout } from '#host/layout.ts'
import type { HostLayout } from '#host/layout.ts'
import { eventually } from './eventually.ts'
import type { LanMember } from './lan.ts'
import { checkout, outputOf, runProgram } from './run-program.ts'
import type { ProgramResult } from './run-program.ts'

/** A node of a cluster whose server runs elsewhere: `./coracle agent` in a network namespace, with a folder of its own. */
export interface Agent extends AsyncDisposable {
  readonly layout: HostLayout
  /** Starts it; by default with the flags of the first time. */
  start(...flags: readonly string[]): void
  /** Kills the agent's process alone, with SIGKILL, and waits until it is gone. */
  kill(): Promise<void>
  /** `./coracle down` for its folder. */
  down(): Promise<string>
  /** The end of what it has written. */
  log(): string
}

/** Prepares an agent on a member of a LAN; nothing runs yet. */
export async function createAgent(member: LanMember, flags: readonly string[]): Promise<Agent> {
  const folder = await mkdtemp('/var/tmp/coracle-test-')
  const layout = hostLayout(join(folder, 'data'))
  const [nsenter, ...words] = [...member.enter, join(checkout, 'coracle')]
  let log = ''
  const down = (): Promise<string> => outputOf(nsenter, [...words, 'down', '--data-dir', layout.dataDir])
  return {
    layout,
    down,
    log: () => log.slice(-5_000),
    start(...anew) {
      const args = [...words, 'agent', '--data-dir', layout.dataDir, ...(anew.length > 0 ? anew : flags)]
      const child = spawn(nsenter, args, { stdio: ['ignore', 'ignore', 'pipe'] })
      child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-20_000)))
    },
    async kill() {
      const [pid = ''] = readFileSync(layout.serverPidFile, 'utf8').split(' ')
      process.kill(Number(pid), 'SIGKILL')
      await eventually(() => (isRunning(pid) ? undefined : true), { what: 'the agent dies' })
    },
    async [Symbol.asyncDispose]() {
      await down()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Runs an agent that has to fail, and answers what came of it. */
export async function failingAgent(member: LanMember, flags: readonly string[]): Promise<ProgramResult> {
  const folder = await mkdtemp('/var/tmp/coracle-test-')
  const [nsenter, ...words] = [...member.enter, join(checkout, 'coracle')]
  try {
    const args = [...words, 'agent', '--data-dir', join(folder, 'data'), ...flags]
    return await runProgram(nsenter, args, { timeoutMs: 30_000 })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function isRunning(pid: string): boolean {
  try {
    return /^State:\s+[^Z]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
