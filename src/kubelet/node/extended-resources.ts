import type { NodeStatus } from '#api/types/core.v1.ts'
import type { DeviceCount } from '../devices/device-plugins.ts'

type Quantities = Readonly<Record<string, string>>

/**
 * The status with resources beyond the machine's own: those of device plugins, and those that somebody else has written
 * into the node's capacity, of which all is for pods (documentation page "Advertise Extended Resources for a Node").
 */
export function withExtendedResources(
  status: NodeStatus,
  known: NodeStatus,
  devices: readonly DeviceCount[],
): NodeStatus {
  const managed = new Set(devices.map(({ resource }) => resource))
  const ofOthers = Object.entries((known.capacity ?? {}) as Quantities).filter(
    ([name]) => name.includes('/') && !managed.has(name),
  )
  if (ofOthers.length === 0 && devices.length === 0) return status
  const others = Object.fromEntries(ofOthers)
  const amounts = (key: 'capacity' | 'allocatable'): Quantities =>
    Object.fromEntries(devices.map((device) => [device.resource, String(device[key])]))
  return {
    ...status,
    capacity: { ...status.capacity, ...others, ...amounts('capacity') },
    allocatable: { ...status.allocatable, ...others, ...amounts('allocatable') },
  }
}
