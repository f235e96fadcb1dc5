import { isPodTerminal, podIps } from '#api/core/v1/pod-facts.ts'
import type { Container, ContainerPort, Pod } from '#api/types/core.v1.ts'
import type { ServiceRoute } from './service-ports.ts'

/** The routes for the host ports of a pod on this node; pods in the host's network need none. */
export function hostPortRoutes(pod: Pod): ServiceRoute[] {
  const address = podIps(pod)[0]
  if (address === undefined || pod.spec.hostNetwork === true || isPodTerminal(pod)) return []
  const containers: readonly Container[] = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
  const ports = containers.flatMap((container) => container.ports ?? []).filter(({ hostPort }) => hostPort)
  return ports.map((port) => hostPortRoute(pod, port, address))
}

function hostPortRoute(pod: Pod, port: ContainerPort, address: string): ServiceRoute {
  const protocol = (port.protocol ?? 'TCP').toLowerCase() as ServiceRoute['protocol']
  const anyAddress = port.hostIP === undefined || port.hostIP === '' || port.hostIP === '0.0.0.0'
  const targets = [{ address, port: port.containerPort }]
  return {
    name: `host-port/${pod.metadata.namespace}/${pod.metadata.name}/${port.hostPort}-${protocol}`,
    protocol,
    port: port.hostPort ?? 0,
    addresses: anyAddress ? [] : [port.hostIP as string],
    // The address is the node's: its other ports are none of ours.
    ownsAddresses: false,
    nodePort: anyAddress ? port.hostPort : undefined,
    clusterTargets: targets,
    externalTargets: targets,
    keepsClientAddress: true,
    affinity: 'none',
  }
}
