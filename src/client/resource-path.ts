import type { Resource } from '#api/meta/resource.ts'

export interface ResourcePathParts {
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  readonly subresource?: string | undefined
}

/** `/api/v1/namespaces/default/pods/web/status`, `/apis/apps/v1/deployments`: the URL path of a resource or a part of it. */
export function resourcePath(resource: Resource, parts: ResourcePathParts = {}): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`
  const namespace =
    resource.namespaced && parts.namespace !== undefined && parts.namespace !== ''
      ? `/namespaces/${encodeURIComponent(parts.namespace)}`
      : ''
  const name = parts.name === undefined ? '' : `/${encodeURIComponent(parts.name)}`
  const subresource = parts.subresource === undefined ? '' : `/${parts.subresource}`
  return `${root}${namespace}/${resource.plural}${name}${subresource}`
}
