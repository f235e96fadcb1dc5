import { setCondition } from '#api/meta/conditions.ts'
import type { Condition } from '#api/types/meta.v1.ts'
import type { ServiceCIDR } from '#api/types/networking.v1.ts'
import { ipAddresses, serviceCIDRs, services } from '#api/types/resources.ts'
import { formatTime } from '#lib/clock.ts'
import { defineController, watchOf, type ControllerContext } from '#reconcile/controller.ts'
import { decideServiceCidr, serviceCidrFinalizer } from './decide.ts'

/** Says of each range of service addresses whether it can be used, and holds back those that are in use. */
export const serviceCidrController = defineController({
  name: 'service-cidr-controller',
  serviceAccount: 'service-cidrs-controller',
  watches: [watchOf(serviceCIDRs, allRanges), watchOf(ipAddresses, leavingRanges), watchOf(services, leavingRanges)],
  writes: [
    { resource: serviceCIDRs, verbs: ['update'] },
    { resource: serviceCIDRs, subresource: 'status', verbs: ['update'] },
  ],
  concurrency: 1,
  reconcile,
})

/** A range that comes or goes may decide over another one that overlaps it. */
function allRanges(range: ServiceCIDR, context: ControllerContext): readonly string[] {
  return [...new Set([range.metadata.name, ...leavingRanges(range, context)])]
}

function leavingRanges(_object: unknown, { informers }: ControllerContext): readonly string[] {
  const leaving = informers
    .of(serviceCIDRs)
    .list()
    .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
  return leaving.map(({ metadata }) => metadata.name)
}

const inUse = 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR'

async function reconcile(name: string, context: ControllerContext): Promise<void> {
  const { informers, client } = context
  const range = informers.of(serviceCIDRs).get(name)
  if (range === undefined) return
  const finalizers = range.metadata.finalizers ?? []
  const isHeld = finalizers.includes(serviceCidrFinalizer)
  const withFinalizers = (list: readonly string[]): Promise<ServiceCIDR> =>
    client.resource(serviceCIDRs).update({ ...range, metadata: { ...range.metadata, finalizers: list } })
  const others = informers
    .of(serviceCIDRs)
    .list()
    .filter(({ metadata }) => metadata.name !== name)
  switch (decideServiceCidr(range, others, usedAddresses(context))) {
    case 'ready': {
      const held = isHeld ? range : await withFinalizers([...finalizers, serviceCidrFinalizer])
      return writeReady(context, held, { status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' })
    }
    case 'in-use':
      return writeReady(context, range, { status: 'False', reason: 'Terminating', message: inUse })
    case 'free':
      if (isHeld) await withFinalizers(finalizers.filter((finalizer) => finalizer !== serviceCidrFinalizer))
  }
}

function usedAddresses({ informers }: ControllerContext): readonly string[] {
  const ofServices = informers
    .of(services)
    .list()
    .flatMap(({ spec }) => spec?.clusterIPs ?? [])
  return [
    ...informers
      .of(ipAddresses)
      .list()
      .map(({ metadata }) => metadata.name),
    ...ofServices,
  ]
}

async function writeReady(
  { client, clock }: ControllerContext,
  range: ServiceCIDR,
  state: Pick<Condition, 'status' | 'reason' | 'message'>,
): Promise<void> {
  const now = formatTime(clock.now())
  const known = range.status?.conditions
  const old = known?.find(({ type }) => type === 'Ready')
  if (old?.status === state.status && old.message === state.message) return
  const conditions = setCondition<Condition>(known, { type: 'Ready', ...state, lastTransitionTime: now }, now)
  await client.resource(serviceCIDRs).updateStatus({ ...range, status: { conditions } })
}
