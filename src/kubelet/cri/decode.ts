import type { ContainerInfo, ContainerState, ContainerStatus } from './container.ts'
import type * as wire from './generated/cri_pb.ts'
import type { ImageInfo } from './image.ts'
import type { ContainerStats, InterfaceStats, SandboxStats } from './runtime.ts'
import type { SandboxInfo, SandboxMetadata, SandboxStatus } from './sandbox.ts'

const containerStates: readonly ContainerState[] = ['created', 'running', 'exited', 'unknown']
const nodeNamespace = 2

export function decodeSandbox(sandbox: wire.PodSandbox | wire.PodSandboxStatus): SandboxInfo {
  return {
    id: sandbox.id,
    metadata: decodeMetadata(sandbox.metadata),
    ready: sandbox.state === 0,
    createdAtMs: millisecondsOf(sandbox.createdAt),
    labels: sandbox.labels,
    annotations: sandbox.annotations,
  }
}

export function decodeSandboxStatus(status: wire.PodSandboxStatus): SandboxStatus {
  const { ip = '', additionalIps = [] } = status.network ?? {}
  return {
    ...decodeSandbox(status),
    ips: [ip, ...additionalIps.map((additional) => additional.ip)].filter((address) => address !== ''),
    hostNetwork: status.linux?.namespaces?.options?.network === nodeNamespace,
  }
}

function decodeMetadata(metadata: wire.PodSandboxMetadata | undefined): SandboxMetadata {
  const { name = '', namespace = '', uid = '', attempt = 0 } = metadata ?? {}
  return { name, namespace, uid, attempt }
}

export function decodeContainer(container: wire.Container): ContainerInfo {
  return { ...decodeContainerHead(container), sandboxId: container.podSandboxId }
}

/** A status does not name its sandbox: the caller knows it from the list. */
export function decodeContainerStatus(status: wire.ContainerStatus, sandboxId: string): ContainerStatus {
  return {
    ...decodeContainerHead(status),
    sandboxId,
    startedAtMs: millisecondsOf(status.startedAt),
    finishedAtMs: millisecondsOf(status.finishedAt),
    exitCode: status.exitCode,
    reason: status.reason,
    message: status.message,
    logPath: status.logPath,
    ...(status.user?.linux && { user: decodeUser(status.user.linux) }),
    mounts: status.mounts.map(({ containerPath, hostPath }) => ({ containerPath, hostPath })),
  }
}

function decodeUser({ uid, gid, supplementalGroups }: wire.LinuxContainerUser): NonNullable<ContainerStatus['user']> {
  return { uid: Number(uid), gid: Number(gid), supplementalGroups: supplementalGroups.map(Number) }
}

function decodeContainerHead(container: wire.Container | wire.ContainerStatus): Omit<ContainerInfo, 'sandboxId'> {
  return {
    id: container.id,
    name: container.metadata?.name ?? '',
    attempt: container.metadata?.attempt ?? 0,
    state: containerStates[container.state] ?? 'unknown',
    createdAtMs: millisecondsOf(container.createdAt),
    labels: container.labels,
    annotations: container.annotations,
    image: container.image?.userSpecifiedImage || (container.image?.image ?? ''),
    imageRef: container.imageRef,
  }
}

export function decodeImage(image: wire.Image): ImageInfo {
  return {
    id: image.id,
    repoTags: image.repoTags,
    repoDigests: image.repoDigests,
    sizeBytes: Number(image.size),
    ...(image.uid && { uid: Number(image.uid.value) }),
    username: image.username,
    pinned: image.pinned,
  }
}

export function decodeStats(stats: wire.ContainerStats): ContainerStats {
  return {
    id: stats.attributes?.id ?? '',
    labels: stats.attributes?.labels ?? {},
    timestampMs: millisecondsOf(stats.cpu?.timestamp ?? 0n),
    cpuUsageNanoseconds: numberOf(stats.cpu?.usageCoreNanoSeconds),
    cpuUsageNanoCores: numberOf(stats.cpu?.usageNanoCores),
    memoryWorkingSetBytes: numberOf(stats.memory?.workingSetBytes),
    memoryUsageBytes: numberOf(stats.memory?.usageBytes),
    memoryRssBytes: numberOf(stats.memory?.rssBytes),
    pageFaults: numberOf(stats.memory?.pageFaults),
    majorPageFaults: numberOf(stats.memory?.majorPageFaults),
    writableLayerBytes: numberOf(stats.writableLayer?.usedBytes),
    writableLayerInodes: numberOf(stats.writableLayer?.inodesUsed),
  }
}

export function decodeSandboxStats({ attributes, linux }: wire.PodSandboxStats): SandboxStats {
  const { defaultInterface, interfaces = [] } = linux?.network ?? {}
  return {
    id: attributes?.id ?? '',
    podUid: attributes?.metadata?.uid ?? '',
    timestampMs: millisecondsOf(linux?.cpu?.timestamp ?? 0n),
    processes: numberOf(linux?.process?.processCount),
    interfaces: [...(defaultInterface ? [defaultInterface] : []), ...interfaces].map(decodeInterface),
  }
}

function decodeInterface(stats: wire.NetworkInterfaceUsage): InterfaceStats {
  return {
    name: stats.name,
    receivedBytes: numberOf(stats.rxBytes),
    receiveErrors: numberOf(stats.rxErrors),
    sentBytes: numberOf(stats.txBytes),
    sendErrors: numberOf(stats.txErrors),
  }
}

function numberOf(wrapped: { readonly value: bigint } | undefined): number {
  return Number(wrapped?.value ?? 0n)
}

function millisecondsOf(nanoseconds: bigint): number {
  return nanoseconds <= 0n ? 0 : Number(nanoseconds) / 1e6
}
