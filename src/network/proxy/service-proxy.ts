import type { Informers } from '#client/informer.ts'
import type { EndpointSlice } from '#api/types/discovery.v1.ts'
import type { Service } from '#api/types/core.v1.ts'
import { endpointSlices, pods, services } from '#api/types/resources.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { hostPortRoutes } from './host-ports.ts'
import { buildRuleset, type Ruleset, type RulesetOptions } from './ruleset.ts'
import { changeScript, fullScript, sameBase } from './ruleset-text.ts'
import { routesOf } from './service-ports.ts'

export interface ServiceProxyOptions {
  readonly informers: Informers
  /** Informers of the pods of this node only, for host ports. */
  readonly podInformers: Informers
  readonly nodeName: string
  readonly clock: Clock
  readonly log: Log
  readonly ruleset: RulesetOptions
  /** Runs one nft script as a transaction; rejects when nothing was changed. */
  readonly apply: (script: string) => Promise<void>
}

export interface ServiceProxy {
  /** Resolves when the first complete ruleset stands in the kernel. */
  readonly ready: Promise<void>
  /** Stops following changes; the ruleset stays, so that services go on. */
  stop(): void
}

const retryMs = 1_000
const serviceNameLabel = 'kubernetes.io/service-name'

/**
 * Keeps the node's nftables table equal to the services and endpoints of the cluster. While one transaction runs,
 * further changes gather for the next, so a burst costs few transactions.
 */
export function startServiceProxy(options: ServiceProxyOptions): ServiceProxy {
  const { informers, clock, log } = options
  const serviceInformer = informers.of(services)
  const sliceInformer = informers.of(endpointSlices)
  const podInformer = options.podInformers.of(pods, { fieldSelector: `spec.nodeName=${options.nodeName}` })
  const slicesOf = sliceInformer.index('service', (slice) => [sliceKey(slice)])
  const { promise: ready, resolve: markReady } = Promise.withResolvers<void>()
  let applied: Ruleset | undefined
  let running = false
  let dirty = true
  let stopped = false

  const sync = async (): Promise<void> => {
    if (running || stopped || ![serviceInformer, sliceInformer, podInformer].every(({ hasSynced }) => hasSynced)) return
    running = true
    while (dirty && !stopped) {
      dirty = false
      const serviceRoutes = serviceInformer
        .list()
        .flatMap((service) => routesOf(service, slicesOf(keyOfService(service)), options.nodeName))
      const routes = [...serviceRoutes, ...podInformer.list().flatMap(hostPortRoutes)]
      const wanted = buildRuleset(routes, options.ruleset)
      try {
        applied = await bring(applied, wanted, options.apply, log)
        markReady()
      } catch (error) {
        log.error('The service ruleset could not be applied', { error })
        applied = undefined
        dirty = true
        await clock.sleep(retryMs)
      }
    }
    running = false
  }
  const changed = (): void => {
    dirty = true
    // A turn of the event loop gathers the events that arrived together.
    setImmediate(() => void sync())
  }
  const listener = { added: changed, updated: changed, deleted: changed }
  const removers = [serviceInformer.listen(listener), sliceInformer.listen(listener), podInformer.listen(listener)]
  void Promise.all([informers.synced(), options.podInformers.synced()]).then(changed)
  return {
    ready,
    stop() {
      stopped = true
      for (const remove of removers) remove()
    },
  }
}

async function bring(
  applied: Ruleset | undefined,
  wanted: Ruleset,
  apply: (script: string) => Promise<void>,
  log: Log,
): Promise<Ruleset> {
  if (!applied || !sameBase(applied, wanted)) {
    await apply(fullScript(wanted))
    return wanted
  }
  const script = changeScript(applied, wanted)
  if (script === '') return wanted
  await apply(script).catch(async (error: unknown) => {
    // Somebody else changed the table, or it is gone: put the whole of it back.
    log.warn('A change of the service ruleset failed; replacing it as a whole', { error })
    await apply(fullScript(wanted))
  })
  return wanted
}

function sliceKey(slice: EndpointSlice): string {
  return `${slice.metadata.namespace}/${slice.metadata.labels?.[serviceNameLabel] ?? ''}`
}

function keyOfService(service: Service): string {
  return `${service.metadata.namespace}/${service.metadata.name}`
}
