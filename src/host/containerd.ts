import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { containerdConfig, type ContainerdConfigOptions } from './containerd-config.ts'
import { endProcess } from './end-process.ts'
import type { HostLayout } from './layout.ts'
import { removeUnfinishedNamespaces } from './network-namespaces.ts'
import { readProcessFile, writeProcessFile } from './process-file.ts'

const startTimeoutMs = 30_000
const checkEveryMs = 10

/**
 * Makes sure that the cluster's own containerd answers on its socket: adopts the one that runs, or starts one that
 * outlives this process, so that containers go on when the cluster's process dies.
 */
export async function ensureContainerd(options: ContainerdConfigOptions, clock: Clock): Promise<void> {
  const { layout } = options
  const changed = await writeIfChanged(layout.containerd.configFile, containerdConfig(options))
  const running = readProcessFile(layout.containerd.pidFile)
  if (running && !changed && (await answers(layout.containerd.socket))) return
  // Containers live under their shims: ending containerd does not disturb them.
  if (running) await endProcess(running, clock)
  for (const folder of [layout.containerd.rootDir, layout.containerd.stateDir, layout.cniConfigDir]) {
    await mkdir(folder, { recursive: true, mode: 0o711 })
  }
  // A container with users of its own has to get to its folder below without being the node's root.
  await chmod(layout.runDir, 0o711)
  await startContainerd(layout, clock)
}

/** Ends the cluster's containerd; the containers' shims stay. */
export async function stopContainerd(layout: HostLayout, clock: Clock): Promise<void> {
  const running = readProcessFile(layout.containerd.pidFile)
  if (running) await endProcess(running, clock)
  await rm(layout.containerd.pidFile, { force: true })
}

async function startContainerd(layout: HostLayout, clock: Clock): Promise<void> {
  const { containerd } = layout
  await rm(containerd.socket, { force: true })
  await removeUnfinishedNamespaces(containerd.stateDir)
  await using log = await open(containerd.logFile, 'a', 0o600)
  const child = spawn('containerd', ['--config', containerd.configFile, '--log-level', 'warn'], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  })
  let failure: string | undefined
  child.once('exit', (code, signal) => (failure = `it ended with ${code ?? signal}`))
  child.once('error', (error) => (failure = error.message))
  await Promise.race([once(child, 'spawn'), once(child, 'error')]).catch(() => undefined)
  if (child.pid !== undefined) await writeProcessFile(containerd.pidFile, child.pid)
  child.unref()
  const deadlineMs = clock.monotonic() + startTimeoutMs
  while (!(await answers(containerd.socket))) {
    if (clock.monotonic() > deadlineMs) failure ??= `it did not answer within ${startTimeoutMs / 1000} s`
    if (failure !== undefined) throw new Error(await failureText(containerd.logFile, failure))
    // The socket file appears before anybody listens on it, so its appearance is nothing to wait for.
    await clock.sleep(checkEveryMs)
  }
}

async function failureText(logFile: string, failure: string): Promise<string> {
  const tail = (await readFile(logFile, 'utf8')).trim().split('\n').slice(-3).join('\n')
  return `containerd did not start: ${failure}. Its log ${logFile} ends with:\n${tail}`
}

async function answers(socket: string): Promise<boolean> {
  const connection = connect(socket)
  try {
    await once(connection, 'connect')
    return true
  } catch {
    return false
  } finally {
    connection.destroy()
  }
}

async function writeIfChanged(path: string, text: string): Promise<boolean> {
  const old = await readFile(path, 'utf8').catch(() => undefined)
  if (old === text) return false
  await mkdir(dirname(path), { recursive: true, mode: 0o711 })
  await writeFile(path, text, { mode: 0o600 })
  return true
}
