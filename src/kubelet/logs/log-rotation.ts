import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { LogSettings } from '../configuration/kubelet-settings.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import type { PodWorkers } from '../pod-worker/pod-workers.ts'
import { isRunning } from '../pod-worker/pod-view.ts'

export interface LogRotationOptions {
  readonly clock: Clock
  readonly log: Log
  readonly runtime: ContainerRuntime
  readonly workers: PodWorkers
  /** How large a log may grow, how many files of one container are kept, how often to look. */
  readonly settings: LogSettings
}

/** Keeps the logs of running containers bounded until the signal aborts. */
export async function rotateLogs(options: LogRotationOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await options.clock.sleep(options.settings.intervalMs, signal).catch(() => undefined)
    if (signal.aborted) return
    const logs = options.workers.list().flatMap(({ view }) => view.containers.filter(isRunning))
    const waiting = logs.filter(({ logPath }) => logPath !== '').values()
    await Promise.all(Array.from({ length: options.settings.workers }, () => rotateAll(options, waiting)))
  }
}

/** One worker: takes from what is waiting until nothing is. */
async function rotateAll(
  options: LogRotationOptions,
  waiting: Iterable<{ readonly id: string; readonly logPath: string }>,
): Promise<void> {
  for (const { id, logPath: path } of waiting) {
    try {
      await rotateIfLarge(options, { id, path })
    } catch (error) {
      options.log.warn('log not rotated', { path, error })
    }
  }
}

async function rotateIfLarge(
  { clock, runtime, settings }: LogRotationOptions,
  { id, path }: { id: string; path: string },
): Promise<void> {
  const current = await stat(path).catch(() => undefined)
  if (current === undefined || current.size < settings.maximumBytes) return
  const folder = dirname(path)
  const old = (await readdir(folder)).filter((name) => name.startsWith(`${basename(path)}.`)).sort()
  const surplus = old.slice(0, Math.max(0, old.length - (settings.maximumFiles - 2)))
  for (const name of surplus) await rm(join(folder, name), { force: true })
  const stamp = new Date(clock.now()).toISOString().replaceAll(/\D/g, '').slice(0, 14)
  const rotatedPath = `${path}.${stamp.slice(0, 8)}-${stamp.slice(8)}`
  await rename(path, rotatedPath)
  try {
    await runtime.reopenContainerLog(id)
  } catch (error) {
    // The runtime still writes into the renamed file: give it its name back.
    await rename(rotatedPath, path)
    throw error
  }
}
