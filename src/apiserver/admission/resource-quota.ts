import { compareQuantities, subtractQuantities } from '#api/meta/quantity.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Pod, ResourceQuota } from '#api/types/core.v1.ts'
import { resourceQuotas } from '#api/types/resources.ts'
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { inScope } from '#api/core/v1/quota-scope.ts'
import { addUsage, usageOf, type Usage } from '#api/core/v1/quota-usage.ts'
import { refuse } from './refuse.ts'

/** How often a lost race for a quota's books is run again before the request gives up. */
const attemptsMax = 5

/**
 * Holds a namespace to its quotas. The books are `status.used`, changed before the object is stored so that two requests never
 * share the last free place; a request that fails afterwards leaves a gap, which the quota controller's recount closes.
 */
export const resourceQuota: AdmissionPlugin = {
  name: 'ResourceQuota',
  resources: ['*'],
  operations: ['CREATE', 'UPDATE'],
  validate(request, context) {
    const { namespace } = request.info
    if (namespace === '' || request.object === undefined) return
    if (context.reader.list(resourceQuotas, namespace).length === 0) return
    const work = (): Promise<void> => chargeAll(request, context)
    return context.turns === undefined ? work() : context.turns.run(`quota of ${namespace}`, work)
  },
}

/** Puts the request on the books of every quota that counts it. */
async function chargeAll(request: AdmissionRequest, context: AdmissionContext): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const quotas = context.reader.list(resourceQuotas, request.info.namespace)
    const charges = quotas.map((quota) => charge(quota, request, context)).filter((entry) => entry !== undefined)
    if (charges.length === 0 || request.dryRun || context.updateStatus === undefined) return
    try {
      for (const charged of charges) await context.updateStatus(resourceQuotas, charged)
      return
    } catch (error) {
      if (!isStatusError(error, 'Conflict') || attempt >= attemptsMax) throw error
    }
  }
}

/** The quota with the request on its books; undefined when it counts nothing of it. Refuses what does not fit. */
function charge(quota: ResourceQuota, request: AdmissionRequest, context: AdmissionContext): ResourceQuota | undefined {
  const resource = resourceName(request)
  const object = request.object as KubernetesObject
  const hard = quota.spec?.hard ?? {}
  if (!inScope(quota.spec ?? {}, resource, object)) return undefined
  if (resource === 'pods' && request.operation === 'CREATE') requireSpecified(quota, request)
  const delta = deltaOf(resource, request)
  const counted = Object.keys(delta).filter((name) => name in hard && compareQuantities(delta[name]!, '0') !== 0)
  if (counted.length === 0) return undefined
  const used = booksOf(quota, resource, counted, request, context)
  const exceeded = counted
    .filter((name) => compareQuantities(delta[name]!, '0') > 0)
    .filter(
      (name) =>
        compareQuantities(addUsage({ [name]: used[name] ?? '0' }, { [name]: delta[name]! })[name]!, hard[name]!) > 0,
    )
    .toSorted()
  if (exceeded.length > 0) {
    const show = (usage: Usage): string => exceeded.map((name) => `${name}=${usage[name] ?? '0'}`).join(',')
    const parts = `requested: ${show(delta)}, used: ${show(used)}, limited: ${show(hard)}`
    throw refuse(request, `exceeded quota: ${quota.metadata.name}, ${parts}`)
  }
  const counts = Object.fromEntries(counted.map((name) => [name, delta[name]!]))
  return {
    ...quota,
    status: { hard: quota.status?.hard ?? hard, used: addUsage({ ...quota.status?.used, ...used }, counts) },
  }
}

function resourceName({ info }: AdmissionRequest): string {
  return info.group === '' ? info.resource : `${info.resource}.${info.group}`
}

function deltaOf(resource: string, { object, oldObject, operation }: AdmissionRequest): Usage {
  const now = usageOf(resource, object as KubernetesObject)
  if (operation === 'CREATE' || oldObject === undefined) return now
  const before = usageOf(resource, oldObject)
  const names = new Set([...Object.keys(now), ...Object.keys(before)])
  return Object.fromEntries([...names].map((name) => [name, subtractQuantities(now[name] ?? '0', before[name] ?? '0')]))
}

/** What the books say; counted anew where they say nothing yet, or where nobody keeps them. */
function booksOf(
  quota: ResourceQuota,
  resource: string,
  names: readonly string[],
  { info }: AdmissionRequest,
  { reader, updateStatus }: AdmissionContext,
): Usage {
  const kept = quota.status?.used ?? {}
  if (updateStatus !== undefined && names.every((name) => name in kept)) return kept
  const { group, version, resource: plural, namespace } = info
  const stored: Resource = { group, version, plural, kind: '', namespaced: true }
  const live = reader
    .list(stored, namespace)
    .filter((object) => inScope(quota.spec ?? {}, resource, object))
    .map((object) => usageOf(resource, object))
    .reduce(addUsage, {})
  return Object.fromEntries(names.map((name) => [name, (updateStatus && kept[name]) ?? live[name] ?? '0']))
}

/** A quota of a compute resource needs every container to say how much of it it takes. */
function requireSpecified(quota: ResourceQuota, request: AdmissionRequest): void {
  const spec = (request.object as Pod).spec
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]
  const problems = Object.keys(quota.spec?.hard ?? {})
    .toSorted()
    .flatMap((name) => {
      const required = computeResource(name)
      if (required === undefined || spec?.resources?.[required.part]?.[required.resource] !== undefined) return []
      const silent = containers.filter(({ resources }) => resources?.[required.part]?.[required.resource] === undefined)
      return silent.length === 0 ? [] : [`${name} for: ${silent.map((container) => container.name).join(',')}`]
    })
  if (problems.length > 0)
    throw refuse(request, `failed quota: ${quota.metadata.name}: must specify ${problems.join('; ')}`)
}

function computeResource(
  name: string,
): { readonly part: 'requests' | 'limits'; readonly resource: string } | undefined {
  const [, prefix, resource = ''] = /^(?:(requests|limits)\.)?(cpu|memory)$/.exec(name) ?? []
  return resource === '' ? undefined : { part: prefix === 'limits' ? 'limits' : 'requests', resource }
}
