import type { KubernetesObject } from '#api/meta/resource.ts'
import { inServedVersion, inStoredVersion } from '../../registry/stored-version.ts'
import type { ServedResource } from '../../registry/served-resource.ts'
import type { AdmissionContext, AdmissionRequest } from '../admission.ts'

/** A request as somebody wants to see it: its objects may be in another version than the client sent. */
export interface VersionedRequest {
  readonly request: AdmissionRequest
  /** The resource in the version of the objects, where that is not the client's. */
  readonly other: ServedResource | undefined
  readonly object: KubernetesObject | undefined
  readonly oldObject: KubernetesObject | undefined
}

/** Throws what the conversion throws. */
export async function versioned(
  request: AdmissionRequest,
  other: ServedResource | undefined,
  { resources }: AdmissionContext,
): Promise<VersionedRequest> {
  const object = request.object as KubernetesObject | undefined
  const { info, oldObject } = request
  const own = resources?.find(info.group, info.version, info.resource)
  if (other === undefined || own === undefined || !holdsOwnKind(object ?? oldObject, own)) {
    return { request, other, object, oldObject }
  }
  return {
    request,
    other,
    object: object && (await inVersion(object, own, other)),
    oldObject: oldObject && (await inVersion(oldObject, own, other)),
  }
}

/** An object of one version of a resource in another. */
export async function inVersion(
  object: KubernetesObject,
  from: ServedResource,
  to: ServedResource,
): Promise<KubernetesObject> {
  return inServedVersion(to, await inStoredVersion(from, object))
}

/** The body of a subresource may be of another kind, which has no versions here. */
function holdsOwnKind(object: KubernetesObject | undefined, { kind }: ServedResource): boolean {
  return object?.kind === kind
}

export interface KindName {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** The kind of a request's body: that of the subresource, where it has one of its own. */
export function kindOf(
  { info, object }: Pick<AdmissionRequest, 'info' | 'object'>,
  resource: ServedResource | undefined,
): KindName {
  const below = info.subresource === '' ? undefined : resource?.subresources.get(info.subresource)
  if (below !== undefined) return { group: below.group, version: below.version, kind: below.kind }
  const { group, version } = resource ?? info
  return { group, version, kind: resource?.kind ?? object?.kind ?? '' }
}
