import { matcherOf } from '#api/meta/labels.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { ParamKind, ParamRef } from '#api/types/admissionregistration.v1.ts'
import type { ServedResource } from '../../registry/served-resource.ts'
import { served } from '../../registry/read.ts'
import type { AdmissionContext, AdmissionRequest } from '../admission.ts'

/** Why a binding cannot be used for a request. */
export class BindingError extends Error {}

/** The parameters of a binding: `[null]` where the policy takes none, none where the binding lets that pass. */
export function paramsOf(
  kind: ParamKind | undefined,
  ref: ParamRef | undefined,
  request: AdmissionRequest,
  context: AdmissionContext,
): readonly (KubernetesObject | null)[] {
  if (kind === undefined || ref === undefined) return [null]
  const resource = resourceOf(kind, context)
  const { reader } = context
  const { name = '', selector } = ref
  const namespace = resource.namespaced ? ref.namespace || request.info.namespace : undefined
  if (resource.namespaced && namespace === '') {
    throw new BindingError(
      'failed to configure binding: cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
    )
  }
  const matcher = selector && matcherOf(selector)
  const found = reader
    .list(resource, namespace)
    .filter(({ metadata }) => (name === '' || metadata.name === name) && (matcher?.matches(metadata.labels) ?? true))
    .map((object) => served(resource, object))
  if (found.length === 0 && ref.parameterNotFoundAction !== 'Allow') {
    throw new BindingError(
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    )
  }
  return found
}

function resourceOf({ apiVersion = '', kind = '' }: ParamKind, { resources }: AdmissionContext): ServedResource {
  for (const resource of resources?.all() ?? []) {
    const own = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`
    if (own === apiVersion && resource.kind === kind) return resource
  }
  throw new BindingError(
    `failed to configure policy: failed to find resource referenced by paramKind: '${apiVersion}, Kind=${kind}'`,
  )
}
