/**
 * How fast a control plane starts and what it costs at rest: `./coracle server` on a fresh data directory. Prints one
 * JSON line for each figure. `--runs N` (default 5), `--idle-seconds N` (default 20).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { freePort } from '../test/cluster/harness/cluster.ts'
import { cpuSeconds, median, report, residentBytes } from './measure.ts'

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, 'idle-seconds': { type: 'string', default: '20' } },
})
const checkout = join(import.meta.dirname, '..')

const readyMs: number[] = []
const residentMiB: number[] = []
let idleCpu = 0
for (let run = 0; run < Number(values.runs); run++) {
  const isLast = run === Number(values.runs) - 1
  const seen = await startOnce(isLast ? Number(values['idle-seconds']) : 2)
  readyMs.push(seen.readyMs)
  residentMiB.push(seen.residentBytes / 2 ** 20)
  idleCpu = seen.idleCpu
}
// The first start of a checkout also compiles every module; the others find the compile cache.
report('server start to readyz', { firstMs: readyMs[0], medianMs: median(readyMs.slice(1)), goalMs: 300 })
report('server resident memory', { firstMiB: residentMiB[0], medianMiB: median(residentMiB.slice(1)), goalMiB: 120 })
report('server idle cpu', { coreShare: idleCpu, goal: 0.01 })

interface Start {
  readonly readyMs: number
  readonly residentBytes: number
  readonly idleCpu: number
}

async function startOnce(idleSeconds: number): Promise<Start> {
  const folder = await mkdtemp('/var/tmp/coracle-bench-')
  const port = await freePort()
  const args = ['--data-dir', join(folder, 'data'), '--bind-address', '127.0.0.1', '--secure-port', String(port)]
  const startMs = performance.now()
  const child = spawn(
    join(checkout, 'coracle'),
    ['server', ...args, '--write-kubeconfig', join(folder, 'kubeconfig')],
    {
      stdio: 'ignore',
    },
  )
  const ended = once(child, 'exit')
  try {
    while (!(await isReady(port))) await sleep(2)
    const readyMs = performance.now() - startMs
    await sleep(2_000)
    const before = cpuSeconds(child.pid ?? 0)
    await sleep(idleSeconds * 1_000)
    const idleCpu = (cpuSeconds(child.pid ?? 0) - before) / idleSeconds
    return { readyMs, residentBytes: residentBytes(child.pid ?? 0), idleCpu }
  } finally {
    child.kill('SIGTERM')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = request(
      { host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false, agent: false },
      (answer) => {
        answer.resume()
        resolve(answer.statusCode === 200)
      },
    )
    probe.on('error', () => resolve(false))
    probe.end()
  })
}
