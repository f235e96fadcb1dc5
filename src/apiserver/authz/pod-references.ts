import type { Pod, PodSpec, Volume } from '#api/types/core.v1.ts'

/** Kinds of objects that a kubelet may read because a pod on its node names them. */
export type ReferencedKind = 'secrets' | 'configmaps' | 'persistentvolumeclaims' | 'serviceaccounts' | 'resourceclaims'

/** Whether the pod names that object of its own namespace, in any way that makes a kubelet read it. */
export function podReferences(pod: Pod, kind: ReferencedKind, name: string): boolean {
  const spec = pod.spec
  if (spec === undefined) return false
  switch (kind) {
    case 'serviceaccounts':
      return (spec.serviceAccountName || 'default') === name
    case 'secrets':
      return secretNames(spec).has(name)
    case 'configmaps':
      return configMapNames(spec).has(name)
    case 'persistentvolumeclaims':
      return claimNames(pod).has(name)
    case 'resourceclaims':
      return resourceClaimNames(pod).has(name)
  }
}

type Environment = NonNullable<PodSpec['containers'][number]['env']>[number]

function containersOf(spec: PodSpec) {
  return [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]
}

function environments(spec: PodSpec): Environment[] {
  return containersOf(spec).flatMap((container) => container.env ?? [])
}

function sources(volume: Volume) {
  return volume.projected?.sources ?? []
}

function secretNames(spec: PodSpec): Set<string | undefined> {
  const volumes = spec.volumes ?? []
  const plugins = volumes.flatMap((volume) => [
    volume.secret?.secretName,
    ...sources(volume).map((source) => source.secret?.name),
    volume.csi?.nodePublishSecretRef?.name,
    volume.flexVolume?.secretRef?.name,
    volume.cephfs?.secretRef?.name,
    volume.rbd?.secretRef?.name,
    volume.iscsi?.secretRef?.name,
    volume.scaleIO?.secretRef?.name,
    volume.storageos?.secretRef?.name,
    volume.azureFile?.secretName,
    volume.cinder?.secretRef?.name,
  ])
  return new Set([
    ...plugins,
    ...(spec.imagePullSecrets ?? []).map((reference) => reference.name),
    ...environments(spec).map((variable) => variable.valueFrom?.secretKeyRef?.name),
    ...containersOf(spec).flatMap((container) => (container.envFrom ?? []).map((source) => source.secretRef?.name)),
  ])
}

function configMapNames(spec: PodSpec): Set<string | undefined> {
  const volumes = spec.volumes ?? []
  return new Set([
    ...volumes.flatMap((volume) => [
      volume.configMap?.name,
      ...sources(volume).map((source) => source.configMap?.name),
    ]),
    ...environments(spec).map((variable) => variable.valueFrom?.configMapKeyRef?.name),
    ...containersOf(spec).flatMap((container) => (container.envFrom ?? []).map((source) => source.configMapRef?.name)),
  ])
}

/** Claims used by volumes; an ephemeral volume uses `POD-VOLUME`. */
export function claimNames(pod: Pod): Set<string | undefined> {
  return new Set(
    (pod.spec?.volumes ?? []).map((volume) =>
      volume.ephemeral === undefined ? volume.persistentVolumeClaim?.claimName : `${pod.metadata.name}-${volume.name}`,
    ),
  )
}

function resourceClaimNames(pod: Pod): Set<string | undefined> {
  return new Set([
    ...(pod.spec?.resourceClaims ?? []).map((claim) => claim.resourceClaimName),
    ...(pod.status?.resourceClaimStatuses ?? []).map((claim) => claim.resourceClaimName),
    pod.status?.extendedResourceClaimStatus?.resourceClaimName,
  ])
}
