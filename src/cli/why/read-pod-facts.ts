import { claimStorageClass, podClaimNames } from '#api/core/v1/volume-facts.ts'
import { allContainers, isPodBound } from '#api/core/v1/pod-facts.ts'
import type { Pod } from '#api/types/core.v1.ts'
import {
  configMaps,
  deviceClasses,
  nodes,
  persistentVolumeClaims,
  resourceClaims,
  resourceClaimTemplates,
  secrets,
  storageClasses,
} from '#api/types/resources.ts'
import { deviceCounts } from '#api/resource/v1/device-counts.ts'
import type { ResourceClaim } from '#api/types/resource.v1.ts'
import type { ClaimFacts, DeviceClaimFacts, PodFacts } from './pod-facts.ts'
import type { WhyReader } from './why-reader.ts'

/** Reads what a pod depends on. */
export async function readPodFacts(pod: Pod, reader: WhyReader): Promise<PodFacts> {
  const { name, namespace = '' } = pod.metadata
  const isBound = isPodBound(pod)
  const [events, node, explanation, claims, deviceClaims, missing] = await Promise.all([
    reader.eventsOf(pod),
    isBound ? reader.look(nodes, pod.spec.nodeName as string) : undefined,
    isBound ? undefined : reader.explanationOf(namespace, name),
    isBound
      ? []
      : Promise.all(
          podClaimNames(pod).map(async (claim) => [claim, await readClaim(claim, namespace, reader)] as const),
        ),
    isBound ? [] : readDeviceClaims(pod, reader),
    isBound ? readMissing(pod, reader) : [],
  ])
  const { nowMs, notes } = reader
  return { pod, nowMs, events, node, explanation, claims: new Map(claims), deviceClaims, missing, notes }
}

/** A claim with what it depends on; nothing where it does not exist. */
export async function readClaim(name: string, namespace: string, reader: WhyReader): Promise<ClaimFacts | undefined> {
  const claim = await reader.get(persistentVolumeClaims, name, namespace)
  if (!claim) return undefined
  const className = claimStorageClass(claim) ?? ''
  const storageClass = className === '' ? undefined : await reader.look(storageClasses, className)
  const mode = storageClass === 'unreadable' ? undefined : storageClass?.volumeBindingMode
  const warning = (await reader.eventsOf(claim)).find(({ type }) => type === 'Warning')
  return {
    claim,
    isClassMissing: className !== '' && !storageClass,
    waitsForPod: mode === 'WaitForFirstConsumer' && (claim.spec.volumeName ?? '') === '',
    warning: warning?.message,
  }
}

function readDeviceClaims({ spec, status, metadata }: Pod, reader: WhyReader): Promise<readonly DeviceClaimFacts[]> {
  const { namespace = '' } = metadata
  const all = (spec.resourceClaims ?? []).map(async ({ name, ...source }): Promise<DeviceClaimFacts> => {
    const made = status?.resourceClaimStatuses?.find((each) => each.name === name)?.resourceClaimName
    const claimName = source.resourceClaimName ?? made
    const templateName = source.resourceClaimTemplateName
    const claim = claimName === undefined ? undefined : await reader.look(resourceClaims, claimName, namespace)
    const needsTemplate = templateName !== undefined && claim === undefined
    return {
      ...{ reference: name, templateName, claimName, isClaimMissing: claim === undefined },
      isTemplateMissing: needsTemplate && !(await reader.exists(resourceClaimTemplates, templateName, namespace)),
      missingClasses: claim === 'unreadable' ? [] : await missingClasses(claim, reader),
    }
  })
  return Promise.all(all)
}

/** Of a claim that has no devices yet. */
async function missingClasses(claim: ResourceClaim | undefined, reader: WhyReader): Promise<readonly string[]> {
  if (!claim || claim.status?.allocation) return []
  const names = [...deviceCounts(claim.spec).keys()]
  const known = await Promise.all(names.map((name) => reader.exists(deviceClasses, name)))
  return names.filter((_, index) => known[index] === false)
}

async function readMissing(pod: Pod, reader: WhyReader): Promise<readonly string[]> {
  const { namespace = '' } = pod.metadata
  const wanted = references(pod)
  const looked = await Promise.all(
    [...wanted].map(async ([key, { kind, name }]) => {
      const there = await reader.exists(kind === 'configmap' ? configMaps : secrets, name, namespace)
      return there ? [] : [key]
    }),
  )
  return looked.flat()
}

interface Reference {
  readonly kind: 'configmap' | 'secret'
  readonly name: string
}

/** The ConfigMaps and Secrets that the pod cannot start without. */
function references({ spec }: Pod): ReadonlyMap<string, Reference> {
  const found = new Map<string, Reference>()
  const note = (kind: Reference['kind'], name: string | undefined, optional: boolean | undefined): void => {
    if (name !== undefined && optional !== true) found.set(`${kind} "${name}"`, { kind, name })
  }
  for (const { configMap, secret, projected } of spec.volumes ?? []) {
    note('configmap', configMap?.name, configMap?.optional)
    note('secret', secret?.secretName, secret?.optional)
    for (const source of projected?.sources ?? []) {
      // The authority's certificate comes by itself in every namespace.
      if (source.configMap?.name !== 'kube-root-ca.crt')
        note('configmap', source.configMap?.name, source.configMap?.optional)
      note('secret', source.secret?.name, source.secret?.optional)
    }
  }
  for (const { env = [], envFrom = [] } of allContainers(spec)) {
    for (const { configMapRef, secretRef } of envFrom) {
      note('configmap', configMapRef?.name, configMapRef?.optional)
      note('secret', secretRef?.name, secretRef?.optional)
    }
    for (const { valueFrom } of env) {
      note('configmap', valueFrom?.configMapKeyRef?.name, valueFrom?.configMapKeyRef?.optional)
      note('secret', valueFrom?.secretKeyRef?.name, valueFrom?.secretKeyRef?.optional)
    }
  }
  return found
}
