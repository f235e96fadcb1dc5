import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { detectCgroups } from '#lib/cgroup-layout.ts'
import { Histogram } from '#lib/metrics/histogram.ts'
import type { UnifiedNode } from './cgroups/unified-settings.ts'
import { nodeLimits } from './cgroups/node-limits.ts'
import { createPodCgroups } from './cgroups/pod-cgroups.ts'
import { defaultSettings, type KubeletSettings } from './configuration/kubelet-settings.ts'
import type { ContainerRuntime } from './cri/runtime.ts'
import { linuxNodeFiles } from './identity/host-files.ts'
import type { NodeEffects } from './kubelet-options.ts'
import { linuxMachine } from './node/linux-machine.ts'
import { linuxPodHost } from './pod-worker/linux-pod-host.ts'
import { machineErrors, settleOwnProcess } from './node/own-process.ts'
import type { MachineEnd } from './shutdown/machine-end.ts'
import { probeRunner } from './probes/run-probe.ts'
import { readSwapCapacity } from './memory/linux-swap.ts'
import { linuxFiles } from './topology/linux-files.ts'
import { readHugePages } from './topology/read-topology.ts'

export interface LinuxNodeOptions {
  /** The kubelet's folder; everything below it belongs to the kubelet. */
  readonly rootDir: string
  /** Where the logs of pods lie. */
  readonly logsDir: string
  /** Where links to the logs of all containers lie. */
  readonly logLinksDir: string
  /** Top of the pods' control groups, such as `/coracle`. */
  readonly cgroupRoot: string
  readonly runtime: ContainerRuntime
  readonly clock: Clock
  /** Default `defaultSettings`. */
  readonly settings?: KubeletSettings
  /** Who says that the machine goes down; absent: nobody. */
  readonly machineEnd?: MachineEnd
}

/** This machine as a node. Needs root; makes its folders, the mount for secrets and the top control groups. */
export async function linuxNode({
  rootDir,
  logsDir,
  logLinksDir,
  cgroupRoot,
  runtime,
  clock,
  settings = defaultSettings,
  machineEnd,
}: LinuxNodeOptions): Promise<NodeEffects> {
  const layout = await detectCgroups()
  const errors = await machineErrors(settings.configuration, { isCgroupV1: layout.version === 1, procDir: '/proc' })
  if (errors.length > 0) throw new Error(errors.join(', '))
  await settleOwnProcess(settings.configuration)
  const unified = layout.version === 2 ? await unifiedNode(layout.root, settings) : undefined
  await refuseSwap(settings, layout.version)
  const machine = linuxMachine(rootDir, imageDirOf(runtime))
  const pidMaximum = Number((await linuxFiles.text('/proc/sys/kernel/pid_max')) ?? 0)
  const cgroupSeconds = new Histogram({
    name: 'kubelet_cgroup_manager_duration_seconds',
    help: 'Duration in seconds for cgroup manager operations. Broken down by method.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  })
  const cgroups = createPodCgroups({
    layout,
    root: cgroupRoot,
    clock,
    quota: settings.cpuQuota,
    podPidsLimit: settings.podPidsLimit,
    seconds: cgroupSeconds,
    hugePageSizes: [...(await readHugePages(linuxFiles, '/sys/kernel/mm/hugepages')).keys()],
    total: nodeLimits(settings, { cpus: availableParallelism(), memoryBytes: totalmem(), pidMaximum }),
  })
  return {
    host: await linuxPodHost({ rootDir, logsDir, logLinksDir, cgroups, ...settings }),
    machine,
    files: linuxNodeFiles(),
    probe: probeRunner(runtime),
    seccompDirectory: join(rootDir, 'seccomp'),
    rootDir,
    system: linuxFiles,
    metrics: [cgroupSeconds],
    ...(unified && { unified }),
    ...(machineEnd && { machineEnd }),
  }
}

/** The kernel counts swap where groups below the top have the file for it; systemd's slice for services is always there. */
async function unifiedNode(root: string, { configuration }: KubeletSettings): Promise<UnifiedNode> {
  const groups = await linuxFiles.names(root)
  const limits = await Promise.all(groups.map((name) => linuxFiles.text(join(root, name, 'memory.swap.max'))))
  const isShared = configuration.memorySwap?.swapBehavior === 'LimitedSwap'
  const swap = { isShared, capacityBytes: await readSwapCapacity(linuxFiles) }
  return {
    endsWholeContainer: configuration.singleProcessOOMKill !== true,
    ...(limits.some((text) => text !== undefined) && { swap }),
  }
}

/** Without a configuration file a machine with swap is taken as it is: its pods do not swap. */
async function refuseSwap({ configuration }: KubeletSettings, cgroupVersion: 1 | 2): Promise<void> {
  if (configuration.memorySwap?.swapBehavior === 'LimitedSwap' && cgroupVersion === 1)
    throw new Error('memorySwap.swapBehavior: "LimitedSwap" needs cgroup v2')
  if (configuration.singleProcessOOMKill === false && cgroupVersion === 1)
    throw new Error(
      'invalid configuration: singleProcessOOMKill must not be explicitly set to false when using cgroup v1',
    )
  const isGiven = configuration.kind !== undefined
  if (isGiven && configuration.failSwapOn !== false && (await readSwapCapacity(linuxFiles)) > 0)
    throw new Error('running with swap on is not supported, please disable swap or set --fail-swap-on flag to false')
}

/** Where the runtime keeps its images, asked until it answers; it does not move while it runs. */
function imageDirOf(runtime: ContainerRuntime): () => Promise<string | undefined> {
  let known: string | undefined
  return async () => (known ??= (await runtime.imageFileSystem().catch(() => undefined))?.mountPoint)
}
