import { configMaps, secrets } from '#api/types/resources.ts'
import type { Pod, Volume } from '#api/types/core.v1.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import type { HostedVolumes, PodHost } from '../pod-worker/pod-host.ts'
import { IdLedger } from '../user-namespaces/id-ledger.ts'
import { idUnit } from '../user-namespaces/node-ids.ts'
import { boundVolume } from '../volumes/claim.ts'
import { mountFailure, VolumeError } from '../volumes/pod-volumes.ts'
import type { VolumeContext, VolumeOnHost } from '../volumes/volume-plugin.ts'

/** Pods that leave no trace: nothing is written, but volumes still wait for the objects they are made of. */
export function simulatedPodHost(): PodHost {
  const ledger = new IdLedger({ firstId: idUnit, length: 2 ** 32 - idUnit }, idUnit)
  return {
    prepare: async ({ metadata }) => ({ cgroupParent: '', logDirectory: `/simulated/${metadata.uid}` }),
    idRange: async ({ metadata: { uid } }) => ledger.rangeOf(uid) ?? ledger.take(uid),
    resize: async () => undefined,
    volumes: (_pod, context) => simulatedVolumes(context),
    writeHostsFile: async ({ metadata }) => `/simulated/${metadata.uid}/etc-hosts`,
    createTerminationLog: async ({ metadata }, { name }, attempt) => `/simulated/${metadata.uid}/${name}/${attempt}`,
    bindSubPath: async (_pod, { volumePath, subPath }) => `${volumePath}/${subPath}`,
    linkLog: async () => undefined,
    removeLog: async () => undefined,
    readTail: async () => '',
    readInside: async () => undefined,
    usage: async () => undefined,
    diskUse: async () => ({ volumes: new Map(), logs: new Map() }),
    cleanUp: async ({ uid }) => ledger.release(uid),
    remains: async () => [],
  }
}

function simulatedVolumes(context: VolumeContext): HostedVolumes {
  return {
    refreshAtMs: undefined,
    setUp: (pod) => setUp(pod, context().objects),
    refresh: async () => undefined,
  }
}

async function setUp(pod: Pod, objects: PodObjects): Promise<ReadonlyMap<string, VolumeOnHost>> {
  const failures = new Map<string, string>()
  const ready = new Map<string, VolumeOnHost>()
  for (const volume of pod.spec.volumes ?? []) {
    try {
      await requireSource(pod, volume, objects)
      ready.set(volume.name, { hostPath: `/simulated/${pod.metadata.uid}/${volume.name}` })
    } catch (error) {
      failures.set(volume.name, mountFailure(volume.name, error))
    }
  }
  if (failures.size > 0) throw new VolumeError(failures)
  return ready
}

/** Throws while an object that the volume needs does not exist. */
async function requireSource(pod: Pod, volume: Volume, objects: PodObjects): Promise<void> {
  if (volume.persistentVolumeClaim || volume.ephemeral) await boundVolume({ pod, volume, objects })
  const missing = await missingSource(volume, objects)
  if (missing !== undefined) throw new Error(missing)
}

/** The first object that the volume needs and that does not exist. */
async function missingSource(volume: Volume, objects: PodObjects): Promise<string | undefined> {
  const { configMap, secret, projected } = volume
  const sources = [
    ...(configMap ? [{ configMap }] : []),
    ...(secret ? [{ secret: { name: secret.secretName, optional: secret.optional } }] : []),
    ...(projected?.sources ?? []),
  ]
  for (const source of sources) {
    const needsMap = source.configMap && source.configMap.optional !== true ? source.configMap.name : undefined
    if (needsMap !== undefined && (await objects.get(configMaps, needsMap)) === undefined)
      return `configmap "${needsMap}" not found`
    const needsSecret = source.secret && source.secret.optional !== true ? source.secret.name : undefined
    if (needsSecret !== undefined && (await objects.get(secrets, needsSecret)) === undefined)
      return `secret "${needsSecret}" not found`
  }
  return undefined
}
