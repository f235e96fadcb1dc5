import { keyOf, splitKey, type Resource } from '#api/meta/resource.ts'
import { resourceQuotas } from '#api/types/resources.ts'
import type { ResourceQuota } from '#api/types/core.v1.ts'
import { LruMap } from '#lib/lru-map.ts'
import {
  defineController,
  watchOf,
  type Controller,
  type ControllerContext,
  type ReconcileResult,
  type Watch,
} from '#reconcile/controller.ts'
import type { Catalog } from '#api/schema/catalog.ts'
import { followCollections } from '../served-resources.ts'
import { countedResource, decideQuotaStatus, isLower, isSameUsage } from './decide.ts'

/** The API server charges a quota before it stores the object: so long must the books have stood still to be lowered. */
const quietMs = 100
/** Where the books never stand still, they are lowered nevertheless. */
const quietMaxMs = 2_000
const remembered = 10_000

/** When the revision of a quota was first seen here, and since when its books wait to be lowered. */
interface Sighting {
  readonly resourceVersion: string
  readonly seenMs: number
  readonly lowerSinceMs: number | undefined
}

interface Recount {
  readonly resources: Map<string, Resource>
  readonly sightings: LruMap<string, Sighting>
}

/** Keeps `status` of every quota equal to what its namespace holds. */
export function resourceQuotaController(catalog: Catalog): Controller {
  const recount: Recount = { resources: new Map(), sightings: new LruMap(remembered) }
  return defineController({
    name: 'resourcequota-controller',
    queueName: 'resource_quota_controller_resource_changes',
    watches: [],
    watchMore: (context, watch) => followAll(recount, { catalog, context, watch }),
    writes: [{ resource: resourceQuotas, subresource: 'status', verbs: ['update'] }],
    reconcile: (key, context) => reconcile(key, context, recount),
  })
}

interface Following {
  readonly catalog: Catalog
  readonly context: ControllerContext
  readonly watch: (watch: Watch) => void
}

function followAll({ resources }: Recount, { catalog, context: { informers }, watch }: Following): void {
  const follow = (resource: Resource): void => {
    const name = resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`
    if (!resource.namespaced || resource.plural === 'events' || resources.get(name)?.version === resource.version)
      return
    resources.set(name, resource)
    if (name === 'resourcequotas') watch(watchOf(resourceQuotas))
    watch(
      watchOf(resource, (object) => quotasCounting(name, informers.of(resourceQuotas).list(object.metadata.namespace))),
    )
  }
  followCollections(catalog, informers, watch, follow)
}

function quotasCounting(resource: string, quotas: readonly ResourceQuota[]): readonly string[] {
  if (quotas.length === 0) return []
  const counts = ({ spec }: ResourceQuota): boolean =>
    Object.keys(spec?.hard ?? {}).some((name) => countedResource(name) === resource)
  return quotas.filter(counts).map(keyOf)
}

async function reconcile(
  key: string,
  { informers, client, clock }: ControllerContext,
  { resources, sightings }: Recount,
): Promise<ReconcileResult | void> {
  const { namespace, name } = splitKey(key)
  const quota = informers.of(resourceQuotas).get(name, namespace)
  if (quota === undefined) {
    sightings.delete(key)
    return
  }
  const status = decideQuotaStatus(quota, (plural) => {
    const resource = resources.get(plural)
    return resource === undefined ? [] : informers.of(resource).list(namespace)
  })
  const nowMs = clock.monotonic()
  const { resourceVersion } = quota.metadata
  const known = sightings.get(key)
  const seenMs = known?.resourceVersion === resourceVersion ? known.seenMs : nowMs
  const lowers = isLower(status.used, quota.status?.used)
  const lowerSinceMs = lowers ? (known?.lowerSinceMs ?? nowMs) : undefined
  sightings.set(key, { resourceVersion, seenMs, lowerSinceMs })
  if (isSameUsage(quota.status?.hard, status.hard) && isSameUsage(quota.status?.used, status.used)) return
  if (lowerSinceMs !== undefined) {
    const waitMs = Math.min(seenMs + quietMs, lowerSinceMs + quietMaxMs) - nowMs
    if (waitMs > 0) return { requeueAfterMs: waitMs }
  }
  await client.resource(resourceQuotas, namespace).updateStatus({ ...quota, status })
}
