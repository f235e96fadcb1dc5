import { isDeepStrictEqual } from 'node:util'
import { isNodeReady } from '#api/core/v1/node-facts.ts'
import { isPodTerminal } from '#api/core/v1/pod-facts.ts'
import { podClaimNames } from '#api/core/v1/volume-facts.ts'
import { isStatusError } from '#api/meta/status.ts'
import { attachmentName, uniqueVolumeName } from '#api/storage/v1/attachment-name.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '#api/types/core.v1.ts'
import type { VolumeAttachment } from '#api/types/storage.v1.ts'
import {
  csiDrivers,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  volumeAttachments,
} from '#api/types/resources.ts'
import {
  defineController,
  watchOf,
  type Controller,
  type ControllerContext,
  type ReconcileResult,
} from '#reconcile/controller.ts'
import { podsOnNode } from '../pods-on-node.ts'
import { attachableVolumes, volumesOf, type AttachableVolume, type VolumeLookUp } from './attachable-volumes.ts'
import { decideNode, multiAttachMessage, type KnownAttachment, type NodePlan } from './decide.ts'

const outOfServiceTaint = 'node.kubernetes.io/out-of-service'

/** What is remembered of attachments: since when they are unwanted, and what pods were told of them. */
interface Memory {
  readonly unwantedSinceMs: Map<string, number>
  readonly told: Map<string, string>
}

/** Attaches the volumes of CSI drivers to the nodes whose pods want them, and detaches them after. Keys are nodes. */
export function attachDetachController(): Controller {
  const memory: Memory = { unwantedSinceMs: new Map(), told: new Map() }
  return defineController({
    name: 'attachdetach-controller',
    watches: [
      watchOf(pods, nodesOfPod),
      watchOf(nodes, changedNode),
      watchOf(volumeAttachments, nodesOfAttachment),
      watchOf(persistentVolumeClaims, nodesOfClaim),
      watchOf(persistentVolumes, nodesOfVolume),
      watchOf(csiDrivers, (_driver, { informers }) =>
        informers
          .of(nodes)
          .list()
          .map(({ metadata }) => metadata.name),
      ),
    ],
    writes: [
      { resource: volumeAttachments, verbs: ['create', 'delete'] },
      { resource: nodes, subresource: 'status', verbs: ['patch'] },
    ],
    reconcile: (nodeName, context) => reconcile(nodeName, context, memory),
  })
}

/** Most updates of a node are its heartbeats, which attach nothing. */
function changedNode(node: Node, _context: ControllerContext, previous?: Node): readonly string[] {
  const concern = (each: Node): unknown => [
    each.spec.taints,
    isNodeReady(each),
    each.status?.volumesInUse,
    each.status?.volumesAttached,
  ]
  return previous !== undefined && isDeepStrictEqual(concern(node), concern(previous)) ? [] : [node.metadata.name]
}

function nodesOfPod({ spec }: Pod): readonly string[] {
  const hasClaim = spec.volumes?.some((volume) => volume.persistentVolumeClaim ?? volume.ephemeral) === true
  return spec.nodeName && hasClaim ? [spec.nodeName] : []
}

/** The node itself, and those whose pods wait for another node to let go. */
function nodesOfAttachment({ spec }: VolumeAttachment, context: ControllerContext): readonly string[] {
  const name = spec.source.persistentVolumeName ?? ''
  const volume = context.informers.of(persistentVolumes).get(name)
  return [spec.nodeName, ...(volume === undefined ? [] : nodesOfVolume(volume, context))]
}

function nodesOfVolume({ spec }: PersistentVolume, { informers }: ControllerContext): readonly string[] {
  const { namespace = '', name = '' } = spec.claimRef ?? {}
  return spec.csi === undefined || name === '' ? [] : nodesUsing(informers, namespace, name)
}

function nodesOfClaim({ metadata }: PersistentVolumeClaim, { informers }: ControllerContext): readonly string[] {
  return nodesUsing(informers, metadata.namespace ?? '', metadata.name)
}

function podsUsing(informers: ControllerContext['informers'], namespace: string, claim: string): readonly Pod[] {
  const podsOf = informers
    .of(pods)
    .index('claim-use', (pod) => podClaimNames(pod).map((name) => `${pod.metadata.namespace}/${name}`))
  return podsOf(`${namespace}/${claim}`)
}

function nodesUsing(informers: ControllerContext['informers'], namespace: string, claim: string): readonly string[] {
  return podsUsing(informers, namespace, claim).flatMap(nodesOfPod)
}

function lookUpIn({ informers }: ControllerContext): VolumeLookUp {
  return {
    claim: (namespace, name) => informers.of(persistentVolumeClaims).get(name, namespace),
    volume: (name) => informers.of(persistentVolumes).get(name),
    driver: (name) => informers.of(csiDrivers).get(name),
  }
}

async function reconcile(
  nodeName: string,
  context: ControllerContext,
  memory: Memory,
): Promise<ReconcileResult | void> {
  const { informers, clock } = context
  const node = informers.of(nodes).get(nodeName)
  const isOutOfService = node?.spec.taints?.some(({ key }) => key === outOfServiceTaint) ?? false
  const wanting = podsOnNode(informers, nodeName).filter(
    (pod) => !(isOutOfService && pod.metadata.deletionTimestamp !== undefined),
  )
  const wanted = attachableVolumes(wanting, nodeName, lookUpIn(context))
  const attachments = ownAttachments(context, nodeName)
  const nowMs = clock.now()
  remember(memory, wanted, attachments, nowMs)
  const plan = decideNode({
    node,
    wanted,
    attachments,
    elsewhere: (volume) => attachmentsElsewhere(context, volume, nodeName),
    unwantedSinceMs: (name) => memory.unwantedSinceMs.get(name) ?? nowMs,
    isNodeReady: node !== undefined && isNodeReady(node),
    isOutOfService,
    nowMs,
  })
  tell(context, memory, { wanted, attachments, blocked: plan.blocked })
  await apply(context, nodeName, plan)
  return plan.lookAgainAtMs === undefined ? undefined : { requeueAfterMs: plan.lookAgainAtMs - nowMs }
}

/** What this controller has made at the node; attachments that others have made are theirs. */
function ownAttachments({ informers }: ControllerContext, nodeName: string): readonly KnownAttachment[] {
  const ofNode = informers.of(volumeAttachments).index('node', ({ spec }) => [spec.nodeName])(nodeName)
  return ofNode.flatMap((attachment): readonly KnownAttachment[] => {
    const csi = informers.of(persistentVolumes).get(attachment.spec.source.persistentVolumeName ?? '')?.spec.csi
    const { name } = attachment.metadata
    // Without the persistent volume its name cannot be computed again; the form of it still tells.
    if (csi === undefined) return /^csi-[0-9a-f]{64}$/.test(name) ? [{ attachment, uniqueName: undefined }] : []
    const id = { driver: csi.driver, handle: csi.volumeHandle }
    return name === attachmentName(id, nodeName) ? [{ attachment, uniqueName: uniqueVolumeName(id) }] : []
  })
}

function attachmentsElsewhere(
  { informers }: ControllerContext,
  { name }: AttachableVolume,
  nodeName: string,
): readonly VolumeAttachment[] {
  const ofVolume = informers
    .of(volumeAttachments)
    .index('volume', ({ spec }) => (spec.source.persistentVolumeName ? [spec.source.persistentVolumeName] : []))
  return ofVolume(name).filter(({ spec }) => spec.nodeName !== nodeName)
}

function remember(
  { unwantedSinceMs, told }: Memory,
  wanted: ReadonlyMap<string, AttachableVolume>,
  attachments: readonly KnownAttachment[],
  nowMs: number,
): void {
  for (const { attachment } of attachments) {
    const { name, deletionTimestamp } = attachment.metadata
    if (wanted.has(name)) unwantedSinceMs.delete(name)
    else if (!unwantedSinceMs.has(name)) unwantedSinceMs.set(name, nowMs)
    if (deletionTimestamp !== undefined) told.delete(name)
  }
}

interface Tidings {
  readonly wanted: ReadonlyMap<string, AttachableVolume>
  readonly attachments: readonly KnownAttachment[]
  readonly blocked: NodePlan['blocked']
}

/** Tells the pods how it goes with their volumes, each thing once. */
function tell(context: ControllerContext, { told }: Memory, { wanted, attachments, blocked }: Tidings): void {
  const say = (volume: AttachableVolume, reason: string, message: string): void => {
    const text = `${reason} ${message} ${volume.pods.map(({ metadata }) => metadata.uid).join()}`
    if (told.get(volume.attachment) === text) return
    told.set(volume.attachment, text)
    const type = reason === 'SuccessfulAttachVolume' ? 'Normal' : 'Warning'
    for (const pod of volume.pods) context.events.record(pod, type, reason, message)
  }
  for (const { attachment } of attachments) {
    const volume = wanted.get(attachment.metadata.name)
    if (volume === undefined || attachment.metadata.deletionTimestamp !== undefined) continue
    const { attached, attachError } = attachment.status ?? {}
    if (attached === true)
      say(volume, 'SuccessfulAttachVolume', `AttachVolume.Attach succeeded for volume "${volume.name}" `)
    else if (attachError !== undefined)
      say(
        volume,
        'FailedAttachVolume',
        `AttachVolume.Attach failed for volume "${volume.name}" : ${attachError.message ?? ''}`,
      )
  }
  for (const { volume, by } of blocked)
    say(volume, 'FailedAttachVolume', multiAttachMessage(volume, usersElsewhere(context, by)))
}

function usersElsewhere(context: ControllerContext, attachments: readonly VolumeAttachment[]): readonly Pod[] {
  const lookUp = lookUpIn(context)
  return attachments.flatMap(({ spec }) =>
    podsOnNode(context.informers, spec.nodeName).filter(
      (pod) =>
        !isPodTerminal(pod) &&
        volumesOf(pod, lookUp).some(({ metadata }) => metadata.name === spec.source.persistentVolumeName),
    ),
  )
}

/** The node is told to keep off a volume before it is taken away. */
async function apply({ client, informers }: ControllerContext, nodeName: string, plan: NodePlan): Promise<void> {
  const own = client.resource(volumeAttachments)
  if (plan.volumesAttached !== undefined) {
    const node = informers.of(nodes).get(nodeName)
    if (node !== undefined) await reportAttached({ client }, node, plan.volumesAttached)
  }
  await Promise.all(
    plan.detach.map(({ metadata }) =>
      own.delete(metadata.name, { preconditions: { uid: metadata.uid } }).catch(ignoreGone),
    ),
  )
  await Promise.all(
    plan.attach.map(async ({ attachment, attacher, name }) => {
      const spec = { attacher, nodeName, source: { persistentVolumeName: name } }
      await own.create({ metadata: { name: attachment }, spec }).catch((error: unknown) => {
        if (!isStatusError(error, 'AlreadyExists')) throw error
      })
    }),
  )
}

function ignoreGone(error: unknown): void {
  if (!isStatusError(error, 'NotFound', 'Conflict')) throw error
}

async function reportAttached(
  { client }: Pick<ControllerContext, 'client'>,
  { metadata }: Node,
  names: readonly string[],
): Promise<void> {
  const volumesAttached = names.length === 0 ? null : names.map((name) => ({ name, devicePath: '' }))
  const patch = { status: { volumesAttached } }
  await client.resource(nodes).patch(metadata.name, { type: 'strategic', patch }, { subresource: 'status' })
}
