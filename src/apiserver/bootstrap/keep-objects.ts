import type { ApiHandler, UserInfo, WireWatchEvent } from '#api/meta/exchange.ts'
import { StatusError } from '#api/meta/status.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { BootstrapObject, BootstrapStore } from './bootstrap-store.ts'

export interface KeepOptions {
  readonly handle: ApiHandler
  readonly bootstrap: BootstrapStore
  readonly clock: Clock
  readonly log: Log
  /** Ends the keeping. */
  readonly signal: AbortSignal
}

/** How long after a failure an object is looked after again. */
const retryMs = 1_000
const keeper: UserInfo = { name: 'system:apiserver', groups: ['system:masters'] }

/**
 * Makes objects whole again whenever somebody deletes or changes them, from the events of a watch on each. Resolves
 * when the signal aborts.
 */
export async function keepObjects(options: KeepOptions, objects: readonly BootstrapObject[]): Promise<void> {
  await Promise.all(objects.map((object) => keepObject(options, object)))
}

async function keepObject(options: KeepOptions, object: BootstrapObject): Promise<void> {
  const { bootstrap, clock, log, signal } = options
  while (!signal.aborted) {
    try {
      const events = await openWatch(options, object)
      await bootstrap.ensure([object])
      for await (const event of events) if (event.type !== 'BOOKMARK') await bootstrap.ensure([object])
    } catch (error) {
      if (signal.aborted) return
      log.warn('an object that the cluster needs could not be kept', { name: object.object.metadata.name, error })
    }
    await clock.sleep(retryMs, signal).catch(() => undefined)
  }
}

async function openWatch(
  { handle, signal }: KeepOptions,
  { resource, object }: BootstrapObject,
): Promise<AsyncIterable<WireWatchEvent>> {
  const { name, namespace } = object.metadata
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`
  const scope = namespace === undefined ? '' : `/namespaces/${namespace}`
  const { body, status } = await handle({
    method: 'GET',
    path: `${root}${scope}/${resource.plural}`,
    query: new URLSearchParams({ watch: '1', fieldSelector: `metadata.name=${name}` }),
    headers: {},
    user: keeper,
    signal,
  })
  if (body.type === 'watch') return body.events
  throw new StatusError('InternalError', `no watch on ${resource.plural} could be opened: ${status}`)
}
