import type { Service } from '#api/types/core.v1.ts'

/**
 * The variables that tell a pod about services: `<NAME>_SERVICE_HOST`, `<NAME>_SERVICE_PORT` and the older link
 * variables, for the services of its namespace (unless service links are off) and always for `default/kubernetes`.
 */
export function serviceEnvironment(
  services: readonly Service[],
  pod: { readonly namespace: string; readonly enableServiceLinks: boolean },
): ReadonlyMap<string, string> {
  const variables = new Map<string, string>()
  const isApi = ({ metadata }: Service): boolean => metadata.namespace === 'default' && metadata.name === 'kubernetes'
  const linked = services.filter((service) => {
    if (!hasClusterIp(service)) return false
    return isApi(service) || (pod.enableServiceLinks && service.metadata.namespace === pod.namespace)
  })
  // The namespace's own service of that name wins over the cluster's.
  linked.sort((a, b) => Number(isApi(b)) - Number(isApi(a)))
  for (const service of linked) addService(variables, service)
  return variables
}

function hasClusterIp({ spec }: Service): boolean {
  return (
    spec.type !== 'ExternalName' && spec.clusterIP !== undefined && spec.clusterIP !== '' && spec.clusterIP !== 'None'
  )
}

function addService(variables: Map<string, string>, { metadata, spec }: Service): void {
  const name = variableName(metadata.name)
  const host = spec.clusterIP ?? ''
  const [first] = spec.ports ?? []
  if (first === undefined) return
  variables.set(`${name}_SERVICE_HOST`, host)
  variables.set(`${name}_SERVICE_PORT`, String(first.port))
  for (const port of spec.ports ?? []) {
    if (port.name) variables.set(`${name}_SERVICE_PORT_${variableName(port.name)}`, String(port.port))
  }
  const address = host.includes(':') ? `[${host}]` : host
  spec.ports?.forEach((port, index) => {
    const protocol = port.protocol ?? 'TCP'
    const url = `${protocol.toLowerCase()}://${address}:${port.port}`
    const prefix = `${name}_PORT_${port.port}_${protocol}`
    if (index === 0) variables.set(`${name}_PORT`, url)
    variables.set(prefix, url)
    variables.set(`${prefix}_PROTO`, protocol.toLowerCase())
    variables.set(`${prefix}_PORT`, String(port.port))
    variables.set(`${prefix}_ADDR`, host)
  })
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_')
}
