import { controllerReference } from '#api/meta/owner.ts'
import type { New } from '#api/meta/resource.ts'
import type { ControllerRevision, StatefulSet } from '#api/types/apps.v1.ts'
import type { PersistentVolumeClaim, Pod, PodTemplateSpec, Volume } from '#api/types/core.v1.ts'
import { revisionHashLabel } from '../revision-history.ts'

const podNameLabel = 'statefulset.kubernetes.io/pod-name'
const podIndexLabel = 'apps.kubernetes.io/pod-index'

export function firstOrdinal({ spec }: StatefulSet): number {
  return spec.ordinals?.start ?? 0
}

export function podName({ metadata }: StatefulSet, ordinal: number): string {
  return `${metadata.name}-${ordinal}`
}

/** The ordinal in a pod's name, or undefined for a pod that is not named as the set's pods are. */
export function ordinalOf({ metadata }: StatefulSet, pod: Pod): number | undefined {
  const prefix = `${metadata.name}-`
  const digits = pod.metadata.name.slice(prefix.length)
  return pod.metadata.name.startsWith(prefix) && /^(0|[1-9]\d*)$/.test(digits) ? Number(digits) : undefined
}

/** The revision, by name, that the pod was made of. */
export function revisionNameOf({ metadata }: Pod): string | undefined {
  return metadata.labels?.[revisionHashLabel]
}

/** The template that a revision stores. */
function templateOf({ data }: ControllerRevision): PodTemplateSpec {
  const { spec } = data as { spec: { template: PodTemplateSpec & { $patch?: string } } }
  const { $patch: _patch, ...template } = spec.template
  return template
}

/** The pod with an ordinal, made of a revision: its name, host name and claims are the same in every life of it. */
export function statefulPod(set: StatefulSet, ordinal: number, revision: ControllerRevision): New<Pod> {
  const template = templateOf(revision)
  const name = podName(set, ordinal)
  const { labels, annotations, finalizers } = template.metadata ?? {}
  const identity = {
    [podNameLabel]: name,
    [podIndexLabel]: String(ordinal),
    [revisionHashLabel]: revision.metadata.name,
  }
  const spec = template.spec ?? { containers: [] }
  return {
    metadata: {
      name,
      namespace: set.metadata.namespace,
      labels: { ...labels, ...identity },
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
      ownerReferences: [controllerReference(set)],
    },
    spec: {
      ...spec,
      hostname: name,
      ...(set.spec.serviceName ? { subdomain: set.spec.serviceName } : {}),
      volumes: volumesFor(set, ordinal, spec.volumes ?? []),
    },
  }
}

/** A claim of the set takes the place of a volume of the same name in the template. */
function volumesFor(set: StatefulSet, ordinal: number, volumes: readonly Volume[]): readonly Volume[] {
  const claims = set.spec.volumeClaimTemplates ?? []
  const others = volumes.filter(({ name }) => !claims.some(({ metadata }) => metadata.name === name))
  const claimed = claims.map(({ metadata }): Volume => {
    return {
      name: metadata.name,
      persistentVolumeClaim: { claimName: claimName(set, metadata.name, ordinal), readOnly: false },
    }
  })
  return [...claimed, ...others]
}

function claimName({ metadata }: StatefulSet, template: string, ordinal: number): string {
  return `${template}-${metadata.name}-${ordinal}`
}

/** The claims of the pod with an ordinal; they outlive it, and the set too unless its retention policy says otherwise. */
export function claimsFor(set: StatefulSet, ordinal: number): readonly New<PersistentVolumeClaim>[] {
  const goesWithSet = set.spec.persistentVolumeClaimRetentionPolicy?.whenDeleted === 'Delete'
  return (set.spec.volumeClaimTemplates ?? []).map(({ metadata, spec }) => ({
    metadata: {
      name: claimName(set, metadata.name, ordinal),
      namespace: set.metadata.namespace,
      labels: { ...metadata.labels, ...set.spec.selector.matchLabels },
      ...(metadata.annotations && { annotations: metadata.annotations }),
      ...(goesWithSet ? { ownerReferences: [controllerReference(set)] } : {}),
    },
    spec,
  }))
}
