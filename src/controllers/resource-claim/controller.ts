import { controllerOf } from '#api/meta/owner.ts'
import { keyOf, splitKey } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Pod, PodResourceClaim } from '#api/types/core.v1.ts'
import type { ResourceClaim, ResourceClaimTemplate } from '#api/types/resource.v1.ts'
import { pods, resourceClaims, resourceClaimTemplates } from '#api/types/resources.ts'
import { defineController, watchOf, type ControllerContext } from '#reconcile/controller.ts'
import { isNamespaceTerminating, messageOf } from '../pod-from-template.ts'
import {
  claimFinalizer,
  claimFromTemplate,
  claimMadeFor,
  decideClaim,
  hasFinalizer,
  isDoneWithClaims,
} from './decide.ts'

/** Makes the claims that pods ask for by template, and frees claims whose pods are done (KEP-4381). */
export const resourceClaimController = defineController({
  name: 'resource-claim-controller',
  eventSource: 'resource_claim',
  watches: [
    watchOf(pods, keysOfPod),
    watchOf(resourceClaims, keysOfClaim),
    watchOf(resourceClaimTemplates, podsOfTemplate),
  ],
  writes: [
    { resource: resourceClaims, verbs: ['create', 'delete', 'update'] },
    { resource: resourceClaims, subresource: 'status', verbs: ['update'] },
    { resource: pods, subresource: 'status', verbs: ['patch'] },
  ],
  reconcile: (key, context) => {
    const [kind, own = ''] = key.split('|')
    return kind === 'pod' ? reconcilePod(own, context) : reconcileClaim(own, context)
  },
})

/** The pod itself, and the claims it uses once it is done with them. */
function keysOfPod(pod: Pod): readonly string[] {
  if ((pod.spec.resourceClaims ?? []).length === 0) return []
  return [`pod|${keyOf(pod)}`, ...claimNamesOf(pod).map((name) => `claim|${pod.metadata.namespace}/${name}`)]
}

function claimNamesOf({ spec, status }: Pod): readonly string[] {
  const direct = (spec.resourceClaims ?? []).map(({ resourceClaimName }) => resourceClaimName)
  const made = (status?.resourceClaimStatuses ?? []).map(({ resourceClaimName }) => resourceClaimName)
  return [...direct, ...made].filter((name) => name !== undefined)
}

function keysOfClaim(claim: ResourceClaim): readonly string[] {
  const owner = controllerOf(claim)
  const ofPod = owner?.kind === 'Pod' ? [`pod|${claim.metadata.namespace}/${owner.name}`] : []
  return [`claim|${keyOf(claim)}`, ...ofPod]
}

function podsOfTemplate({ metadata }: ResourceClaimTemplate, { informers }: ControllerContext): readonly string[] {
  const all = informers.of(pods).list(metadata.namespace)
  const waiting = all.filter(({ spec }) =>
    spec.resourceClaims?.some(({ resourceClaimTemplateName }) => resourceClaimTemplateName === metadata.name),
  )
  return waiting.map((pod) => `pod|${keyOf(pod)}`)
}

async function reconcilePod(key: string, context: ControllerContext): Promise<void> {
  const { namespace, name } = splitKey(key)
  const pod = context.informers.of(pods).get(name, namespace)
  if (pod === undefined || isDoneWithClaims(pod) || pod.metadata.deletionTimestamp !== undefined) return
  for (const wanted of pod.spec.resourceClaims ?? []) {
    if (wanted.resourceClaimTemplateName === undefined) continue
    try {
      await ensureClaim(pod, wanted, wanted.resourceClaimTemplateName, context)
    } catch (error) {
      if (isNamespaceTerminating(error)) return
      const message = `PodResourceClaim ${wanted.name}: ${messageOf(error)}`
      context.events.record(pod, 'Warning', 'FailedResourceClaimCreation', message)
      throw error
    }
  }
  if (pod.spec.nodeName) for (const claim of allocatedClaims(pod, context)) await reserve(claim, pod, context)
}

async function ensureClaim(
  pod: Pod,
  wanted: PodResourceClaim,
  templateName: string,
  { informers, client }: ControllerContext,
): Promise<void> {
  const { namespace, name, uid } = pod.metadata
  const known = claimMadeFor(pod, wanted, informers.of(resourceClaims).list(namespace))
  const claim = known ?? (await createClaim(pod, wanted, templateName, { informers, client }))
  const told = pod.status?.resourceClaimStatuses?.find((status) => status.name === wanted.name)
  if (told?.resourceClaimName === claim.metadata.name) return
  const resourceClaimStatuses = [{ name: wanted.name, resourceClaimName: claim.metadata.name }]
  const patch = { metadata: { uid }, status: { resourceClaimStatuses } }
  await client.resource(pods, namespace).patch(name, { type: 'strategic', patch }, { subresource: 'status' })
}

function createClaim(
  pod: Pod,
  wanted: PodResourceClaim,
  templateName: string,
  { informers, client }: Pick<ControllerContext, 'informers' | 'client'>,
): Promise<ResourceClaim> {
  const { namespace } = pod.metadata
  const template = informers.of(resourceClaimTemplates).get(templateName, namespace)
  if (template === undefined) {
    throw new Error(
      `resource claim template "${templateName}": resourceclaimtemplate.resource.k8s.io "${templateName}" not found`,
    )
  }
  return client.resource(resourceClaims, namespace).create(claimFromTemplate(pod, wanted, template))
}

function allocatedClaims(pod: Pod, { informers }: ControllerContext): readonly ResourceClaim[] {
  const known = claimNamesOf(pod).map((name) => informers.of(resourceClaims).get(name, pod.metadata.namespace))
  return known.filter((claim) => claim?.status?.allocation !== undefined) as readonly ResourceClaim[]
}

/** A pod that was put on its node by hand: nobody else says that it uses the claim. */
async function reserve(claim: ResourceClaim, { metadata }: Pod, { client }: ControllerContext): Promise<void> {
  const known = claim.status?.reservedFor ?? []
  if (known.some(({ uid }) => uid === metadata.uid)) return
  const reservedFor = [...known, { resource: 'pods', name: metadata.name, uid: metadata.uid }]
  await client
    .resource(resourceClaims, metadata.namespace)
    .updateStatus({ ...claim, status: { ...claim.status, reservedFor } })
}

async function reconcileClaim(key: string, { informers, client }: ControllerContext): Promise<void> {
  const { namespace, name } = splitKey(key)
  const claim = informers.of(resourceClaims).get(name, namespace)
  if (claim === undefined) return
  const collection = client.resource(resourceClaims, namespace)
  const { reservedFor, isFreed, isUseless } = decideClaim(claim, (pod) => informers.of(pods).get(pod, namespace))
  let latest = claim
  if (reservedFor !== undefined || isFreed) {
    const { allocation, ...status } = claim.status ?? {}
    const kept = reservedFor ?? status.reservedFor ?? []
    const next = { ...status, reservedFor: kept, ...(isFreed || allocation === undefined ? {} : { allocation }) }
    latest = await collection.updateStatus({ ...claim, status: next })
  }
  if (latest.status?.allocation === undefined && hasFinalizer(latest)) {
    const finalizers = latest.metadata.finalizers?.filter((finalizer) => finalizer !== claimFinalizer) ?? []
    latest = await collection.update({ ...latest, metadata: { ...latest.metadata, finalizers } })
  }
  if (!isUseless || claim.metadata.deletionTimestamp !== undefined) return
  const { uid } = claim.metadata
  await collection.delete(name, { preconditions: { uid } }).catch((error: unknown) => {
    if (!isStatusError(error, 'NotFound')) throw error
  })
}
