import { createHash } from 'node:crypto'
import { pod as podKind } from '#api/core/v1/pod/pod.ts'
import type { Draft } from '#api/kind.ts'
import { validateMetadata } from '#api/meta/validate-metadata.ts'
import { builtInCatalog } from '#api/schema/catalog.ts'
import { decodeBody } from '#api/schema/decode.ts'
import { applySchemaDefaults } from '#api/schema/defaults.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { formatTime } from '#lib/clock.ts'
import { deepFreeze } from '#lib/deep-freeze.ts'
import { parseYaml } from '#lib/yaml.ts'
import { hashAnnotation, sourceAnnotation } from './pod-source.ts'

const seenAnnotation = 'kubernetes.io/config.seen'

/** Where manifests come from, in the words of the annotation. */
export type ManifestSource = 'file' | 'http'

export interface ManifestPlace {
  readonly source: ManifestSource
  readonly path: string
  readonly nodeName: string
  readonly nowMs: number
}

/**
 * The static pod of a manifest, complete and judged like a pod of the API: named after its node, bound to it, and with a
 * uid that changes with the text. Throws one sentence for a manifest that is none.
 */
export function readManifest(text: string, { source, path, nodeName, nowMs }: ManifestPlace): Pod {
  const value = parseYaml(text).value
  const { kind, apiVersion } = (value ?? {}) as { kind?: unknown; apiVersion?: unknown }
  if (kind !== 'Pod' || apiVersion !== 'v1') throw new Error('the manifest is no v1 Pod')
  const resource = builtInCatalog().findKind('', 'v1', 'Pod')
  if (resource === undefined) throw new Error('pods are unknown')
  const { object } = decodeBody<Draft<Pod>>(
    { kind: 'Pod', version: 'v1', node: resource.node },
    value as object,
    'Strict',
  )
  const uid = object.metadata?.uid || hashOf(text, `${source}:${path}`, nodeName)
  decorate(object, { uid, source, nodeName, nowMs })
  podKind.setDefaults?.(object as never)
  applySchemaDefaults(resource.node, object)
  object.status = { phase: 'Pending' }
  const pod = deepFreeze(object) as unknown as Pod
  refuseInvalid(pod)
  return pod
}

function hashOf(text: string, place: string, nodeName: string): string {
  return createHash('md5').update(`host:${nodeName}`).update(place).update(text).digest('hex')
}

function decorate(
  { metadata, spec }: Draft<Pod>,
  { uid, source, nodeName, nowMs }: Omit<ManifestPlace, 'path'> & { readonly uid: string },
): void {
  metadata.name = `${metadata.name}-${nodeName}`
  metadata.namespace ||= 'default'
  metadata.uid = uid
  metadata.annotations = {
    ...metadata.annotations,
    [hashAnnotation]: uid,
    [seenAnnotation]: formatTime(nowMs),
    [sourceAnnotation]: source,
  }
  metadata.creationTimestamp = formatTime(nowMs)
  spec.nodeName = nodeName
  // Nothing that the API does to its node may drive a static pod away.
  spec.tolerations = [...(spec.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }]
}

function refuseInvalid(pod: Pod): void {
  const errors = [...validateMetadata(pod, { namespaced: true, builtIn: true }), ...(podKind.validate?.(pod) ?? [])]
  const [first] = errors
  if (first !== undefined) throw new Error(`invalid pod: ${first.field}: ${first.message}`)
  const { spec } = pod
  if (spec.serviceAccountName) throw new Error('static pods may not reference service accounts')
  const needsApi = (spec.volumes ?? []).find(
    (volume) => volume.secret ?? volume.configMap ?? volume.persistentVolumeClaim,
  )
  if (needsApi) throw new Error(`static pods may not reference other API objects: volume ${needsApi.name}`)
}
