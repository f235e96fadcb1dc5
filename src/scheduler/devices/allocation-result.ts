import type { NodeSelector, NodeSelectorTerm } from '#api/types/core.v1.ts'
import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceClass,
  DeviceRequestAllocationResult,
  ResourceClaim,
} from '#api/types/resource.v1.ts'
import type { ChosenDevice } from './allocate-claims.ts'

/** What is written into the status of a claim: its devices, their configuration, and where they can be used. */
export function allocationResult(
  claim: ResourceClaim,
  chosen: readonly ChosenDevice[],
  nodeName: string,
  classes: (name: string) => DeviceClass | undefined,
): AllocationResult {
  const own = chosen.filter((each) => each.claim === claim)
  const nodeSelector = selectorOf(own, nodeName)
  const config = [...configOfClasses(own, classes), ...configOfClaim(claim, own)]
  const results = own.map(resultOf)
  return { devices: { results, ...(config.length > 0 && { config }) }, ...(nodeSelector && { nodeSelector }) }
}

/** Stands for the name of a share until the claim is written. */
export const unnamedShare = ''

function resultOf({ request, offered, details, amounts }: ChosenDevice): DeviceRequestAllocationResult {
  const { driver, pool, device } = offered
  const isAdmin = 'adminAccess' in details && details.adminAccess === true
  const { tolerations } = details
  const { bindingConditions = [], bindingFailureConditions = [] } = device
  return {
    ...{ request, driver, pool, device: device.name },
    ...(isAdmin && { adminAccess: true }),
    ...(tolerations && tolerations.length > 0 && { tolerations }),
    ...(bindingConditions.length > 0 && { bindingConditions, bindingFailureConditions }),
    ...(amounts && { shareID: unnamedShare, consumedCapacity: amounts }),
  }
}

function configOfClasses(
  own: readonly ChosenDevice[],
  classes: (name: string) => DeviceClass | undefined,
): readonly DeviceAllocationConfiguration[] {
  const requests = new Map(own.map(({ request, details }) => [request, details.deviceClassName]))
  return [...requests].flatMap(([request, name]) =>
    (classes(name)?.spec.config ?? []).map((config) => ({
      ...config,
      source: 'FromClass' as const,
      requests: [request],
    })),
  )
}

/** Configuration for an alternative that was not taken is left out. */
function configOfClaim(claim: ResourceClaim, own: readonly ChosenDevice[]): readonly DeviceAllocationConfiguration[] {
  const taken = new Set(own.flatMap(({ request }) => [request, request.split('/')[0] ?? '']))
  return (claim.spec.devices?.config ?? []).flatMap(({ requests = [], ...config }) => {
    if (requests.length > 0 && !requests.some((request) => taken.has(request))) return []
    return { ...config, source: 'FromClaim' as const, ...(requests.length > 0 && { requests }) }
  })
}

/** One device of a node binds all to it; devices that several nodes reach bind to what these have in common. */
function selectorOf(own: readonly ChosenDevice[], nodeName: string): NodeSelector | undefined {
  const places = own.map(({ offered }) => offered.where)
  const binds = own.some(({ offered }) => offered.device.bindsToNode === true)
  if (binds || places.some((where) => where !== 'everywhere' && 'node' in where)) {
    return { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] }] }] }
  }
  const terms = places.flatMap((where) =>
    where !== 'everywhere' && 'selector' in where ? where.selector.nodeSelectorTerms.slice(0, 1) : [],
  )
  if (terms.length === 0) return undefined
  const distinct = <T>(all: readonly T[]): T[] => [...new Map(all.map((each) => [JSON.stringify(each), each])).values()]
  const matchExpressions = distinct(terms.flatMap((term) => term.matchExpressions ?? []))
  const matchFields = distinct(terms.flatMap((term) => term.matchFields ?? []))
  const term: NodeSelectorTerm = {
    ...(matchExpressions.length > 0 && { matchExpressions }),
    ...(matchFields.length > 0 && { matchFields }),
  }
  return { nodeSelectorTerms: [term] }
}
