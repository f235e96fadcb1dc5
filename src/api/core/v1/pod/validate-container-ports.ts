import { validatePort } from '../../../meta/check-numbers.ts'
import { duplicate, invalidForEach, invalidValue, notSupported, required } from '../../../meta/field-errors.ts'
import { portName } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { Container, ContainerPort, PodSpec } from '../../../types/core.v1.ts'

const protocols = ['SCTP', 'TCP', 'UDP']

export function validatePorts({ ports }: Container, path: string): FieldError[] {
  const names = new Set<string>()
  return (ports ?? []).flatMap((port, index) => {
    const { name = '', containerPort = 0, hostPort = 0, protocol = '' as string } = port as Partial<ContainerPort>
    const at = `${path}[${index}]`
    const errors: FieldError[] = []
    if (name !== '') {
      const wrong = portName(name)
      if (wrong.length > 0) errors.push(...invalidForEach(`${at}.name`, name, wrong))
      else if (names.has(name)) errors.push(duplicate(`${at}.name`, name))
      else names.add(name)
    }
    if (containerPort === 0) errors.push(required(`${at}.containerPort`))
    else errors.push(...validatePort(containerPort, `${at}.containerPort`))
    if (hostPort !== 0) errors.push(...validatePort(hostPort, `${at}.hostPort`))
    if (protocol === '') errors.push(required(`${at}.protocol`))
    else if (!protocols.includes(protocol)) errors.push(notSupported(`${at}.protocol`, protocol, protocols))
    return errors
  })
}

/** Ports of the node that two containers want. */
export function validateHostPortConflicts(containers: readonly Container[], path: string): FieldError[] {
  const taken = new Set<string>()
  return containers.flatMap((container, index) =>
    (container.ports ?? []).flatMap(({ hostPort = 0, hostIP = '', protocol = 'TCP' }, portIndex) => {
      if (hostPort === 0) return []
      const key = `${protocol}/${hostIP}/${hostPort}`
      if (taken.has(key)) return [duplicate(`${path}[${index}].ports[${portIndex}].hostPort`, key)]
      taken.add(key)
      return []
    }),
  )
}

/** On the network of the node both ports are one; a template may leave the node's to be filled in. */
export function validateHostNetworkPorts(spec: PodSpec, isPod: boolean, path: string): FieldError[] {
  if (spec.hostNetwork !== true) return []
  return (spec.containers ?? []).flatMap(({ ports }, index) =>
    (ports ?? []).flatMap(({ hostPort = 0, containerPort = 0 }: Partial<ContainerPort>, portIndex) => {
      if (hostPort === containerPort || (!isPod && hostPort === 0)) return []
      const at = `${path}.containers[${index}].ports[${portIndex}].hostPort`
      return [invalidValue(at, hostPort, 'must match `containerPort` when `hostNetwork` is true')]
    }),
  )
}
