import type { ContainerPort, PodSpec } from '../../../types/core.v1.ts'
import { allContainers } from '../pod-facts.ts'
import { containersWithPath } from './containers-with-path.ts'

/** Ports that are told twice, by name or by number. */
export function portWarnings(spec: PodSpec, path: string): readonly string[] {
  if (!allContainers(spec).some(({ ports = [] }) => ports.length > 0)) return []
  return [...nameWarnings(spec, path), ...numberWarnings(spec, path)]
}

interface PlacedPort {
  readonly port: ContainerPort
  readonly path: string
}

function nameWarnings(spec: PodSpec, path: string): readonly string[] {
  const known = new Map<string, string>()
  return portsOf(spec, path).flatMap(({ port, path: at }) => {
    const { name = '' } = port
    const other = known.get(name)
    if (name === '') return []
    if (other === undefined) {
      known.set(name, at)
      return []
    }
    const use = `services and probes that select ports by name will use ${other}`
    return [`${at}: duplicate port name "${name}" with ${other}, ${use}`]
  })
}

function numberWarnings(spec: PodSpec, path: string): readonly string[] {
  const known = new Map<string, PlacedPort[]>()
  return portsOf(spec, path).flatMap((placed) => {
    const { port, path: at } = placed
    const warnings: string[] = []
    if ((port.hostIP ?? '') !== '' && (port.hostPort ?? 0) === 0) {
      warnings.push(`${at}: hostIP set without hostPort: ${plainText(port)}`)
    }
    const key = `${port.containerPort}/${port.protocol ?? ''}`
    const others = known.get(key) ?? []
    for (const other of others) {
      const relation = relationOf(port, other.port)
      if (relation !== undefined) warnings.push(`${at}: ${relation} port definition with ${other.path}`)
    }
    known.set(key, [...others, placed])
    return warnings
  })
}

function portsOf(spec: PodSpec, path: string): readonly PlacedPort[] {
  return containersWithPath(spec, path).flatMap(({ container, path: at }) =>
    (container.ports ?? []).map((port, index) => ({ port, path: `${at}.ports[${index}]` })),
  )
}

/** How two ports of one number and protocol get in each other's way. */
function relationOf(port: ContainerPort, other: ContainerPort): string | undefined {
  const [hostPort, otherHostPort] = [port.hostPort ?? 0, other.hostPort ?? 0]
  const [hostIP, otherHostIP] = [port.hostIP ?? '', other.hostIP ?? '']
  if (hostPort === otherHostPort && hostIP === otherHostIP) return 'duplicate'
  if (hostPort === 0 || otherHostPort === 0) return 'overlapping'
  const isAmbiguous = hostPort === otherHostPort && (hostIP === '') !== (otherHostIP === '')
  return isAmbiguous ? 'dangerously ambiguous' : undefined
}

function plainText({ name = '', hostPort = 0, containerPort, protocol, hostIP = '' }: ContainerPort): string {
  return `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol ?? ''} HostIP:${hostIP}}`
}
