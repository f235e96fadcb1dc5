import { join } from 'node:path'
import type { Client } from '#client/client.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { DraDrivers } from '../claims/dra-drivers.ts'
import { NodeClaims } from '../claims/node-claims.ts'
import type { RuntimeVersion } from '../cri/runtime.ts'
import type { PluginHandler } from '../plugins/plugin-registry.ts'
import type { PodHost } from '../pod-worker/pod-host.ts'
import { cdiFolders, runtimeKnowsCdi, withCdiEdits } from './cdi.ts'
import { mergeGrants } from './container-grants.ts'
import { DevicePlugins, type DeviceCount } from './device-plugins.ts'
import type { GrantSource } from './grant-source.ts'

export interface NodeDevicesOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  readonly nodeName: string
  /** The kubelet's folder. */
  readonly rootDir: string
  readonly runtime: RuntimeVersion
  /** The machine's NUMA nodes. */
  readonly numaNodes: readonly number[]
  /** The uids of all pods that the node still has to do with. */
  readonly presentPods: () => ReadonlySet<string>
  /** What the node has to give has changed. */
  readonly onChange: () => void
  /** A driver has come that pods may wait for. */
  readonly onArrival: () => void
  /** Devices that pods may have are better, or worse, than before. */
  readonly onHealth: () => void
}

/** The devices of a node: those of device plugins, and those of resource claims. */
export interface NodeDevices {
  readonly grants: Pick<GrantSource, 'grant' | 'prepare' | 'health'>
  /** Who sets devices of device plugins aside. */
  readonly manager: DevicePlugins
  /** Takes the drivers of resource claims in. */
  readonly plugins: PluginHandler
  counts(): readonly DeviceCount[]
  /** The same host, which lets go of a pod's claims before it cleans up after the pod. */
  guard(host: PodHost): PodHost
  /** To be called once the node's pods are known. */
  start(): Promise<void>
  stop(): Promise<void>
}

export async function createNodeDevices(options: NodeDevicesOptions): Promise<NodeDevices> {
  const { rootDir, runtime, log, presentPods } = options
  const devices = new DevicePlugins({
    ...options,
    folder: join(rootDir, 'device-plugins'),
    onChange() {
      options.onChange()
      options.onHealth()
    },
  })
  const drivers = new DraDrivers({
    ...options,
    onArrival() {
      options.onArrival()
      sweep()
    },
  })
  const claims = new NodeClaims({ ...options, drivers })
  const sweep = (): void => {
    claims
      .sweep(presentPods())
      .catch((error: unknown) => log.warn('claims of pods that are gone not released', { error }))
  }
  await Promise.all([devices.load(), claims.load()])
  return {
    plugins: drivers,
    manager: devices,
    counts: () => devices.counts(),
    grants: {
      prepare: (pod) => claims.prepare(pod),
      health: (pod, container) => [...devices.health(pod, container), ...claims.health(pod, container)],
      async grant(pod, container) {
        const granted = mergeGrants([await devices.grant(pod, container), claims.grant(pod, container)])
        return runtimeKnowsCdi(runtime) ? granted : withCdiEdits(granted, cdiFolders)
      },
    },
    guard: (host) => ({
      ...host,
      async cleanUp(pod, how) {
        await claims.release(pod.uid)
        await host.cleanUp(pod, how)
      },
    }),
    async start() {
      await devices.serve()
      sweep()
    },
    async stop() {
      drivers.stop()
      await devices.stop()
    },
  }
}
