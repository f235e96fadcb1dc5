import type { ContainerConfig, ContainerMount, EnvEntry } from '../cri/container.ts'

/** What a container gets beyond what its spec says, by those who look after the node's devices. */
export interface ContainerGrants {
  readonly env: readonly EnvEntry[]
  readonly mounts: readonly ContainerMount[]
  readonly devices: ContainerConfig['devices']
  readonly annotations: Readonly<Record<string, string>>
  /** Names of the container device interface: `vendor.com/class=device`. */
  readonly cdiDevices: readonly string[]
  /** The processors and NUMA nodes that the container is bound to, as lists; absent: to none. */
  readonly placement?: ContainerPlacement
}

export interface ContainerPlacement {
  readonly cpusetCpus?: string
  readonly cpusetMems?: string
}

export const noGrants: ContainerGrants = { env: [], mounts: [], devices: [], annotations: {}, cdiDevices: [] }

export function mergeGrants(grants: readonly ContainerGrants[]): ContainerGrants {
  return {
    env: grants.flatMap(({ env }) => env),
    mounts: grants.flatMap(({ mounts }) => mounts),
    devices: grants.flatMap(({ devices }) => devices),
    annotations: Object.assign({}, ...grants.map(({ annotations }) => annotations)) as Record<string, string>,
    cdiDevices: grants.flatMap(({ cdiDevices }) => cdiDevices),
  }
}
