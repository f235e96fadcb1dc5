import { isDeepStrictEqual } from 'node:util'
import { isPodTerminal } from '#api/core/v1/pod-facts.ts'
import {
  claimStorageClass,
  defaultStorageClassAnnotations,
  podClaimNames,
  volumeStorageClass,
} from '#api/core/v1/volume-facts.ts'
import { newestDefault } from '#api/meta/default-class.ts'
import { keyOf, splitKey } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#api/types/core.v1.ts'
import { persistentVolumeClaims, persistentVolumes, pods, storageClasses } from '#api/types/resources.ts'
import { formatTime } from '#lib/clock.ts'
import { defineController, watchOf, type ControllerContext } from '#reconcile/controller.ts'
import { bindCompleted, boundByController, decideClaim, decideVolume, type ClaimDecision, type Told } from './decide.ts'
import { refersTo } from './match.ts'

type Claim = PersistentVolumeClaim
type Volume = PersistentVolume

const provisionerAnnotations = [
  'volume.beta.kubernetes.io/storage-provisioner',
  'volume.kubernetes.io/storage-provisioner',
]

/** Binds claims and volumes to each other. Keys are `claim|namespace/name` and `volume|name`. */
export const persistentVolumeBinder = defineController({
  name: 'persistent-volume-binder',
  eventSource: 'persistentvolume-controller',
  watches: [
    watchOf(persistentVolumeClaims, keysOfClaim),
    watchOf(persistentVolumes, keysOfVolume),
    watchOf(pods, claimsOfPod),
    watchOf(storageClasses, ({ metadata }, context) =>
      unboundClaims(context)
        .filter((claim) => [undefined, metadata.name].includes(claimStorageClass(claim)))
        .map(claimKey),
    ),
  ],
  writes: [
    { resource: persistentVolumes, verbs: ['update'] },
    { resource: persistentVolumes, subresource: 'status', verbs: ['update'] },
    { resource: persistentVolumeClaims, verbs: ['get', 'update'] },
    { resource: persistentVolumeClaims, subresource: 'status', verbs: ['update'] },
  ],
  // One at a time: two claims must not reach for the same volume.
  concurrency: 1,
  reconcile: (key, context) => {
    const [kind = '', name = ''] = key.split('|')
    return kind === 'claim' ? reconcileClaim(name, context) : reconcileVolume(name, context)
  },
})

/** Claims that wait for a pod tell which. */
function claimsOfPod(pod: Pod, { informers }: ControllerContext): readonly string[] {
  if (pod.spec.nodeName) return []
  const claims = informers.of(persistentVolumeClaims)
  return podClaimNames(pod).flatMap((name) => {
    const claim = claims.get(name, pod.metadata.namespace)
    return claim === undefined || claim.metadata.annotations?.[bindCompleted] !== undefined ? [] : [claimKey(claim)]
  })
}

function claimKey(claim: Claim): string {
  return `claim|${keyOf(claim)}`
}

function unboundClaims({ informers }: ControllerContext): readonly Claim[] {
  return informers
    .of(persistentVolumeClaims)
    .index('unbound', ({ metadata }) => (metadata.annotations?.[bindCompleted] === undefined ? ['yes'] : []))('yes')
}

function keysOfClaim(claim: Claim, { informers }: ControllerContext): readonly string[] {
  const volumesOf = informers
    .of(persistentVolumes)
    .index('claim', ({ spec }) =>
      spec.claimRef === undefined ? [] : [`${spec.claimRef.namespace}/${spec.claimRef.name}`],
    )
  return [claimKey(claim), ...volumesOf(keyOf(claim)).map(({ metadata }) => `volume|${metadata.name}`)]
}

/** The volume, the claim it is bound or reserved to, and every waiting claim that might take it. */
function keysOfVolume(volume: Volume, context: ControllerContext): readonly string[] {
  const { claimRef } = volume.spec
  const keys = [`volume|${volume.metadata.name}`]
  if (claimRef !== undefined) return [...keys, `claim|${claimRef.namespace}/${claimRef.name}`]
  const className = volumeStorageClass(volume)
  const wanting = unboundClaims(context).filter((claim) => {
    return claim.spec.volumeName === volume.metadata.name || (claimStorageClass(claim) ?? '') === className
  })
  return [...keys, ...wanting.map(claimKey)]
}

async function reconcileClaim(key: string, context: ControllerContext): Promise<void> {
  const { informers, events } = context
  const { namespace, name } = splitKey(key)
  const claim = informers.of(persistentVolumeClaims).get(name, namespace)
  if (claim === undefined) return
  if (claim.metadata.deletionTimestamp !== undefined && claim.metadata.annotations?.[bindCompleted] === undefined)
    return
  const decision: ClaimDecision = decideClaim(claim, {
    volumes: informers.of(persistentVolumes).list(),
    volume: (volume) => informers.of(persistentVolumes).get(volume),
    storageClass: (storageClass) => informers.of(storageClasses).get(storageClass),
    defaultClass: () => newestDefault(informers.of(storageClasses).list(), defaultStorageClassAnnotations),
    waitingPods: () => waitingPods(informers, key),
  })
  const tell = (told: Told | undefined): void => {
    if (told !== undefined) events.record(claim, told.type, told.reason, told.message)
  }
  if (decision.do === 'bind') return bind(context, claim, decision.volume)
  if (decision.do === 'class') return giveClass(context, claim, decision.storageClass)
  if (decision.do !== 'lose') tell(decision.told)
  else if (claim.status?.phase !== 'Lost') {
    await writeClaimStatus(context, claim, { ...claim.status, phase: 'Lost' })
    tell(decision.told)
  }
  if (decision.do === 'provision') await askProvisioner(context, claim, decision.provisioner)
}

function waitingPods({ of }: ControllerContext['informers'], claim: string): readonly string[] {
  const podsOf = of(pods).index('claim-use', (pod) =>
    podClaimNames(pod).map((name) => `${pod.metadata.namespace}/${name}`),
  )
  return podsOf(claim)
    .filter((pod) => !pod.spec.nodeName && !isPodTerminal(pod))
    .map(({ metadata }) => metadata.name)
}

/** A claim that came before the default class gets it all the same (KEP-3333). */
async function giveClass({ client }: ControllerContext, claim: Claim, storageClassName: string): Promise<void> {
  const spec = { ...claim.spec, storageClassName }
  await client.resource(persistentVolumeClaims, claim.metadata.namespace).update({ ...claim, spec })
}

async function askProvisioner({ client }: ControllerContext, claim: Claim, provisioner: string): Promise<void> {
  const { annotations = {} } = claim.metadata
  if (provisionerAnnotations.every((name) => annotations[name] === provisioner)) return
  const added = Object.fromEntries(provisionerAnnotations.map((name) => [name, provisioner]))
  const metadata = { ...claim.metadata, annotations: { ...annotations, ...added } }
  await client.resource(persistentVolumeClaims, claim.metadata.namespace).update({ ...claim, metadata })
}

/** Four writes; each is left out where it is done already, so that one cut short is gone on with. */
async function bind(context: ControllerContext, claim: Claim, volume: Volume): Promise<void> {
  const bound = await writeVolumePhase(context, await reserve(context, claim, volume), 'Bound')
  const named = await nameVolume(context, claim, bound)
  if (named.status?.phase === 'Bound') return
  const { accessModes, capacity } = bound.spec
  await writeClaimStatus(context, named, {
    ...named.status,
    phase: 'Bound',
    ...(accessModes && { accessModes }),
    ...(capacity && { capacity }),
    ...(bound.spec.volumeAttributesClassName && {
      currentVolumeAttributesClassName: bound.spec.volumeAttributesClassName,
    }),
  })
}

async function reserve({ client }: ControllerContext, claim: Claim, volume: Volume): Promise<Volume> {
  const { name, namespace, uid, resourceVersion } = claim.metadata
  if (volume.spec.claimRef?.uid === uid) return volume
  const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion }
  const annotations = {
    ...volume.metadata.annotations,
    ...(!refersTo(volume, claim) && { [boundByController]: 'yes' }),
  }
  return client.resource(persistentVolumes).update({
    ...volume,
    metadata: { ...volume.metadata, annotations },
    spec: { ...volume.spec, claimRef },
  })
}

async function nameVolume({ client }: ControllerContext, claim: Claim, volume: Volume): Promise<Claim> {
  const { annotations = {}, namespace } = claim.metadata
  const isNamed = claim.spec.volumeName === volume.metadata.name
  if (isNamed && annotations[bindCompleted] !== undefined) return claim
  const added = { [bindCompleted]: 'yes', ...(!isNamed && { [boundByController]: 'yes' }) }
  return client.resource(persistentVolumeClaims, namespace).update({
    ...claim,
    metadata: { ...claim.metadata, annotations: { ...annotations, ...added } },
    spec: { ...claim.spec, volumeName: volume.metadata.name },
  })
}

async function writeClaimStatus({ client }: ControllerContext, claim: Claim, status: Claim['status']): Promise<void> {
  if (isDeepStrictEqual(claim.status, status)) return
  await client.resource(persistentVolumeClaims, claim.metadata.namespace).updateStatus({ ...claim, status })
}

async function writeVolumePhase(
  { client, clock }: ControllerContext,
  volume: Volume,
  phase: NonNullable<NonNullable<Volume['status']>['phase']>,
  message?: string,
): Promise<Volume> {
  if (volume.status?.phase === phase) return volume
  const lastPhaseTransitionTime = formatTime(clock.now())
  const status = { phase, lastPhaseTransitionTime, ...(message !== undefined && { message }) }
  return client.resource(persistentVolumes).updateStatus({ ...volume, status })
}

async function reconcileVolume(name: string, context: ControllerContext): Promise<void> {
  const { informers, events, client } = context
  const volume = informers.of(persistentVolumes).get(name)
  if (volume === undefined) return
  const decision = decideVolume(volume, await claimOf(context, volume))
  switch (decision.do) {
    case 'phase':
      await writeVolumePhase(context, volume, decision.phase)
      return
    case 'fail':
      events.record(volume, decision.told.type, decision.told.reason, decision.told.message)
      await writeVolumePhase(context, volume, 'Failed', decision.told.message)
      return
    case 'unbind': {
      const { claimRef, ...spec } = volume.spec
      const { [boundByController]: isOurs, ...annotations } = volume.metadata.annotations ?? {}
      const { uid: _uid, resourceVersion: _revision, ...reserved } = claimRef ?? {}
      const kept = isOurs === undefined ? { ...spec, claimRef: reserved } : spec
      const metadata = { ...volume.metadata, annotations }
      await client.resource(persistentVolumes).update({ ...volume, metadata, spec: kept })
    }
  }
}

/** The claim a volume names; that it is gone or another one is only believed from the server. */
async function claimOf({ informers, client }: ControllerContext, { spec }: Volume): Promise<Claim | undefined> {
  const { name = '', namespace = '', uid } = spec.claimRef ?? {}
  if (name === '') return undefined
  const known = informers.of(persistentVolumeClaims).get(name, namespace)
  if (!uid || known?.metadata.uid === uid) return known
  try {
    return await client.resource(persistentVolumeClaims, namespace).get(name)
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined
    throw error
  }
}
