import type { ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { allContainers } from '#api/core/v1/pod-facts.ts'
import type { ContainerStatus } from '../cri/container.ts'
import { isRunning } from '../pod-worker/pod-view.ts'
import type { PodWorker } from '../pod-worker/pod-worker.ts'
import { readLog, type LogOptions } from '../logs/read-log.ts'
import { HttpError } from './http-error.ts'
import type { KubeletServerContext } from './server-context.ts'
import { podOf } from './pod-lookup.ts'
import type { RouteCall } from './route.ts'

/** `GET /containerLogs/<namespace>/<pod>/<container>` with the query of PodLogOptions. */
export async function serveLogs(
  context: KubeletServerContext,
  call: RouteCall,
  response: ServerResponse,
): Promise<void> {
  const worker = podOf(context, call)
  const run = runToRead(worker, call)
  const options = logOptions(call.query, context.clock.now())
  const uid = worker.pod.metadata.uid
  const source = {
    path: run.logPath,
    isRunning: () => isRunning(context.workers.get(uid)?.view.containers.find(({ id }) => id === run.id)),
    onChange: (listener: () => void) => context.workers.onLook((seen) => (seen === uid ? listener() : undefined)),
  }
  const log = readLog(source, options, call.signal)
  const first = await log.next().catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT'
      ? new HttpError(400, `unable to retrieve container logs for containerd://${run.id}`)
      : error
  })
  response.writeHead(200, { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' })
  response.flushHeaders()
  if (first.done === true) return void response.end()
  response.write(first.value)
  await pipeline(log, response).catch((error: unknown) => {
    if (!call.signal.aborted) throw error
  })
}

/** The run whose log is meant; 400 with upstream's words while there is none. */
function runToRead(worker: PodWorker, { parameters, query }: RouteCall): ContainerStatus {
  const { container: name = '' } = parameters
  const pod = worker.pod.metadata.name
  if (!allContainers(worker.pod.spec).some((container) => container.name === name)) {
    throw new HttpError(404, `container ${name} is not valid for pod ${pod}`)
  }
  const runs = worker.view.containers.filter((container) => container.name === name && container.state !== 'created')
  if (query.get('previous') === 'true') {
    const [latest, before] = runs
    // While a crashed container waits for its restart, its last run is the previous one.
    const previous = latest && latest.state === 'exited' && isWaiting(worker, name) ? latest : before
    if (previous === undefined)
      throw new HttpError(400, `previous terminated container "${name}" in pod "${pod}" not found`)
    return previous
  }
  const [latest] = runs
  if (latest) return latest
  const reason = waitingReason(worker, name) ?? 'ContainerCreating'
  throw new HttpError(400, `container "${name}" in pod "${pod}" is waiting to start: ${reason}`)
}

function isWaiting(worker: PodWorker, name: string): boolean {
  return waitingReason(worker, name) !== undefined
}

function waitingReason(worker: PodWorker, name: string): string | undefined {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = worker.status ?? {}
  const statuses = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses]
  return statuses.find((status) => status.name === name)?.state?.waiting?.reason
}

function logOptions(query: URLSearchParams, nowMs: number): LogOptions {
  const tailLines = numberOf(query, 'tailLines')
  const limitBytes = numberOf(query, 'limitBytes')
  const sinceMs = sinceOf(query, nowMs)
  const stream = query.get('stream')?.toLowerCase()
  return {
    follow: isTrue(query, 'follow'),
    timestamps: isTrue(query, 'timestamps'),
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(sinceMs !== undefined && { sinceMs }),
    ...((stream === 'stdout' || stream === 'stderr') && { stream }),
  }
}

function isTrue(query: URLSearchParams, name: string): boolean {
  return ['true', '1'].includes(query.get(name) ?? '')
}

function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new HttpError(400, `invalid value ${text} for ${name}`)
  return value
}

function sinceOf(query: URLSearchParams, nowMs: number): number | undefined {
  const seconds = numberOf(query, 'sinceSeconds')
  if (seconds !== undefined) return nowMs - seconds * 1000
  const time = query.get('sinceTime')
  if (time === null || time === '') return undefined
  const sinceMs = Date.parse(time)
  if (Number.isNaN(sinceMs)) throw new HttpError(400, `invalid value ${time} for sinceTime`)
  return sinceMs
}
