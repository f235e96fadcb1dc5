import type { Informers } from '#client/informer.ts'
import { nodes } from '#api/types/resources.ts'
import type { Clock, Timer } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { nodeRoutes, type NodeRoute } from './node-routes.ts'
import { routeBatch } from './route-batch.ts'
import type { RouteTable } from './route-table.ts'

export interface NodeRouteOptions {
  readonly informers: Informers
  readonly nodeName: string
  /** Marks our routes in the kernel. */
  readonly protocol: number
  readonly table: RouteTable
  readonly clock: Clock
  readonly log: Log
}

export interface NodeRoutes {
  /** Resolves when the routes have been brought in line for the first time. */
  readonly ready: Promise<void>
  /** Stops following changes; the routes stay, as the pods do. */
  stop(): void
}

/** A link that was down may come up: routes that were refused are tried again after this time. */
const retryMs = 30_000

/** Keeps the kernel's routes to the pods of other nodes equal to the cluster's nodes. */
export function followNodes(options: NodeRouteOptions): NodeRoutes {
  const { informers, clock, log } = options
  const nodeInformer = informers.of(nodes)
  const { promise: ready, resolve: markReady } = Promise.withResolvers<void>()
  const complained = new Set<string>()
  let retry: Timer | undefined
  let running = false
  let dirty = false
  let stopped = false
  /** The wanted routes that all stand. */
  let settled: string | undefined

  const sync = async (): Promise<void> => {
    if (running || stopped || !nodeInformer.hasSynced) return
    running = true
    while (dirty && !stopped) {
      dirty = false
      retry?.cancel()
      const wanted = nodeRoutes(nodeInformer.list(), options.nodeName)
      if (JSON.stringify(wanted) === settled) continue
      settled = undefined
      try {
        const refused = await bring(options, wanted)
        complain(refused, complained, log)
        if (refused.length === 0) settled = JSON.stringify(wanted)
      } catch (error) {
        log.error('The routes to the pods of other nodes could not be brought in line', { error })
      }
      if (settled === undefined) retry = clock.schedule(retryMs, changed)
      markReady()
    }
    running = false
  }
  const changed = (): void => {
    dirty = true
    // A turn of the event loop gathers the events that arrived together.
    setImmediate(() => void sync())
  }
  const remove = nodeInformer.listen({ added: changed, updated: changed, deleted: changed })
  void informers.synced().then(changed, () => undefined)
  return {
    ready,
    stop() {
      stopped = true
      retry?.cancel()
      remove()
    },
  }
}

interface RefusedRoute extends NodeRoute {
  readonly reason: string
}

/** Answers the routes that the kernel does not take. */
async function bring({ table, protocol }: NodeRouteOptions, wanted: readonly NodeRoute[]): Promise<RefusedRoute[]> {
  const batch = routeBatch(await table.list(), wanted, protocol)
  if (batch.length === 0) return []
  const failed = await table.apply(batch)
  return wanted.flatMap((route) => {
    const line = batch.findIndex((text) => text.startsWith(`route replace ${route.podCidr} `))
    const reason = failed.get(line + 1)
    return line < 0 || reason === undefined ? [] : [{ ...route, reason }]
  })
}

/** Once for each node and reason, until it has worked. */
function complain(refused: readonly RefusedRoute[], complained: Set<string>, log: Log): void {
  const keys = new Map(refused.map((route) => [`${route.nodeName} ${route.via} ${route.reason}`, route]))
  for (const key of complained) if (!keys.has(key)) complained.delete(key)
  for (const [key, { nodeName, podCidr, via, reason }] of keys) {
    if (complained.has(key)) continue
    complained.add(key)
    log.error(
      `The pods of node ${nodeName} cannot be reached: its address ${via} is not on a network of this machine. ` +
        'All nodes must be on one L2 network; there is no overlay yet',
      { node: nodeName, podCidr, reason },
    )
  }
}
