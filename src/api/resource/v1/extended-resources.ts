import { isExtendedResource } from '../../core/v1/validate-resources.ts'
import { isSidecar } from '../../core/v1/pod-facts.ts'
import { quantityValue } from '../../meta/quantity.ts'
import type { Container, ContainerExtendedResourceRequest, Pod } from '../../types/core.v1.ts'
import type { DeviceClass, DeviceRequest } from '../../types/resource.v1.ts'

/** On the claim that the scheduler makes for the extended resources of a pod. */
export const extendedClaimAnnotation = 'resource.kubernetes.io/extended-resource-claim'

const implicitPrefix = 'deviceclass.resource.kubernetes.io/'

/** Whether devices of a class can stand for the resource: it has a name of its own, or names a class (KEP-5004). */
export function canBeDevices(resource: string): boolean {
  return resource.startsWith(implicitPrefix) || isExtendedResource(resource)
}

/** The class whose devices stand for each resource; of several classes the newest, and then the first by name. */
export function classesByResource(classes: readonly DeviceClass[]): ReadonlyMap<string, DeviceClass> {
  const byResource = new Map<string, DeviceClass>()
  for (const each of classes) {
    byResource.set(`${implicitPrefix}${each.metadata.name}`, each)
    const { extendedResourceName } = each.spec
    if (extendedResourceName === undefined) continue
    const other = byResource.get(extendedResourceName)
    if (!other || isPreferred(each, other)) byResource.set(extendedResourceName, each)
  }
  return byResource
}

function isPreferred({ metadata: a }: DeviceClass, { metadata: b }: DeviceClass): boolean {
  const [made, otherMade] = [a.creationTimestamp ?? '', b.creationTimestamp ?? '']
  return made === otherMade ? a.name < b.name : made > otherMade
}

interface Asked {
  readonly request: DeviceRequest
  readonly count: number
}

export interface ExtendedRequests {
  readonly requests: readonly DeviceRequest[]
  /** Which request serves which container. */
  readonly mappings: readonly ContainerExtendedResourceRequest[]
}

/**
 * What a claim must ask for so that the containers of a pod get their extended resources. Containers that run together
 * have devices of their own; an init container that has ended lends its devices to those that come later.
 */
export function extendedRequests(
  { spec }: Pod,
  resources: readonly string[],
  classOf: (resource: string) => DeviceClass | undefined,
): ExtendedRequests {
  const inits = spec.initContainers ?? []
  const containers = [...inits, ...spec.containers]
  const isShort = (index: number): boolean => index < inits.length && !isSidecar(containers[index] as Container)
  const requests: DeviceRequest[] = []
  const mappings: ContainerExtendedResourceRequest[] = []
  for (const resource of resources.toSorted()) {
    const className = classOf(resource)?.metadata.name
    if (className === undefined) continue
    const indexes = containers.map((_, index) => index)
    const own = (index: number, lent: readonly Asked[]) =>
      askFor({ container: containers[index] as Container, index, resource, className }, lent)
    const long = indexes.map((index) => (isShort(index) ? undefined : own(index, [])))
    const short = indexes.filter(isShort).map((index) => {
      const later = long.slice(index).flatMap((each) => each?.asked ?? [])
      return own(index, later)
    })
    const largest = largestOf(short.flatMap(({ asked }) => asked ?? []))
    requests.push(...[largest, ...long.map((each) => each?.asked)].flatMap((each) => each?.request ?? []))
    mappings.push(...long.flatMap((each) => each?.mappings ?? []), ...shared(short, largest))
  }
  return { requests: requests.toSorted((a, b) => (a.name < b.name ? -1 : 1)), mappings }
}

interface Answer {
  readonly asked: Asked | undefined
  readonly mappings: readonly ContainerExtendedResourceRequest[]
}

interface Subject {
  readonly container: Container
  /** Among init and main containers. */
  readonly index: number
  readonly resource: string
  readonly className: string
}

/** A request for what the lent devices do not cover. */
function askFor({ container, index, resource, className }: Subject, lent: readonly Asked[]): Answer {
  const { requests = {} } = container.resources ?? {}
  const wanted = requests[resource] === undefined ? 0 : quantityValue(requests[resource])
  if (wanted === 0) return { asked: undefined, mappings: [] }
  const mappingTo = (requestName: string) => ({ containerName: container.name, resourceName: resource, requestName })
  const mappings: ContainerExtendedResourceRequest[] = []
  let covered = 0
  for (const { request, count } of lent) {
    if (covered >= wanted) break
    covered += count
    mappings.push(mappingTo(request.name))
  }
  if (covered >= wanted) return { asked: undefined, mappings }
  const name = `container-${index}-request-${Object.keys(requests).toSorted().indexOf(resource)}`
  const count = wanted - covered
  const exactly = { deviceClassName: className, allocationMode: 'ExactCount' as const, count }
  return { asked: { request: { name, exactly }, count }, mappings: [...mappings, mappingTo(name)] }
}

function largestOf(asked: readonly Asked[]): Asked | undefined {
  return asked.reduce<Asked | undefined>((most, each) => (most && most.count >= each.count ? most : each), undefined)
}

/** Init containers run one after the other: the largest of their requests serves all. */
function shared(short: readonly Answer[], largest: Asked | undefined): readonly ContainerExtendedResourceRequest[] {
  const own = new Set(short.flatMap(({ asked }) => asked?.request.name ?? []))
  return short
    .flatMap(({ mappings }) => mappings)
    .map((each) => (largest && own.has(each.requestName) ? { ...each, requestName: largest.request.name } : each))
}
