import type { ServedResource } from './served-resource.ts'

/** What clients of an old resource are told with every answer. */
const deprecations: Readonly<Record<string, string>> = {
  'v1/componentstatuses': 'v1 ComponentStatus is deprecated in v1.19+',
  'v1/endpoints': 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
}

export function deprecationOf({ group, version, plural, custom }: ServedResource): string | undefined {
  if (custom !== undefined) return custom.deprecation
  return group === '' ? deprecations[`${version}/${plural}`] : undefined
}
