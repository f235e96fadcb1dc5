import type { Draft } from '#api/kind.ts'
import { isSameJson } from '#api/meta/merge-patch.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { decodeValue } from '#api/schema/decode.ts'
import { applyDefaults } from '../../registry/defaults.ts'
import type { ServedResource } from '../../registry/served-resource.ts'
import type { AdmissionRequest } from '../admission.ts'
import { inVersion } from './versioned.ts'

export interface Replaced {
  readonly resource: ServedResource
  readonly request: AdmissionRequest
  /** What others hold. */
  readonly draft: Draft<KubernetesObject>
}

/** Puts another state into a draft: read by its type, with its defaults; `version` is that of the state, where it is another. */
export async function replaceObject(
  { resource, request, draft }: Replaced,
  changed: unknown,
  version: ServedResource | undefined,
): Promise<void> {
  const { object } = decodeValue<Draft<KubernetesObject>>((version ?? resource).node, changed)
  applyDefaults(version ?? resource, object)
  const own = version === undefined ? object : await inVersion(object as KubernetesObject, version, resource)
  if (isSameJson(own, draft)) return
  if (request.reinvocation !== undefined) request.reinvocation.wasChanged = true
  const fields = draft as unknown as Record<string, unknown>
  for (const key of Object.keys(fields)) delete fields[key]
  Object.assign(fields, structuredClone(own))
}
