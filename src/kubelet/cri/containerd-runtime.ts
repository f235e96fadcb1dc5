import { containerdEvents } from './containerd-events.ts'
import {
  decodeContainer,
  decodeContainerStatus,
  decodeImage,
  decodeSandbox,
  decodeSandboxStatus,
  decodeSandboxStats,
  decodeStats,
} from './decode.ts'
import { encodeContainer, encodeResources } from './encode-container.ts'
import { encodeSandbox } from './encode-sandbox.ts'
import { connectGrpc, type GrpcConnection } from './grpc-connection.ts'
import type { StatusResponse } from './generated/cri_pb.ts'
import { isRuntimeError, type ContainerRuntime, type RuntimeStatus } from './runtime.ts'

const podUidLabel = 'io.kubernetes.pod.uid'

type CriModule = typeof import('./generated/cri_pb.ts')

export interface ContainerdRuntimeOptions {
  /** Path of containerd's Unix socket. */
  readonly socketPath: string
  /** For calls that are to be quick; default two minutes. Making a sandbox may take twice as long. */
  readonly timeoutMs?: number
}

/** A runtime that speaks CRI v1 on a Unix socket. Connects lazily: a runtime that is down fails the calls, not this. */
export async function containerdRuntime({
  socketPath,
  timeoutMs,
}: ContainerdRuntimeOptions): Promise<ContainerRuntime> {
  const [grpc, cri] = await Promise.all([connectGrpc(socketPath, timeoutMs), import('./generated/cri_pb.ts')])
  return {
    ...sandboxCalls(grpc, cri),
    ...containerCalls(grpc, cri),
    ...streamingCalls(grpc, cri),
    ...imageCalls(grpc, cri),
    async version() {
      const answer = await grpc.unary(cri.RuntimeService.method.version, { version: 'v1' })
      return { name: answer.runtimeName, version: answer.runtimeVersion }
    },
    async status() {
      return statusOf(await grpc.unary(cri.RuntimeService.method.status, {}, { timeoutMs: 10_000 }))
    },
    async *events(signal) {
      // A runtime that is down is found out here, not by an event stream that never says anything.
      await grpc.unary(cri.RuntimeService.method.version, { version: 'v1' }, { signal })
      yield* containerdEvents(grpc, signal)
    },
    async close() {
      grpc.close()
    },
  }
}

type SandboxCalls = 'runSandbox' | 'stopSandbox' | 'removeSandbox' | 'sandboxStatus' | 'listSandboxes'

function sandboxCalls(
  grpc: GrpcConnection,
  { RuntimeService: { method } }: CriModule,
): Pick<ContainerRuntime, SandboxCalls> {
  return {
    async runSandbox(config, { signal, handler = '' } = {}) {
      const request = { config: encodeSandbox(config), runtimeHandler: handler }
      // Twice the usual limit: the runtime may have to wait for its network plugins.
      const answer = await grpc.unary(method.runPodSandbox, request, {
        ...(signal && { signal }),
        timeoutMs: 2 * grpc.timeoutMs,
      })
      return answer.podSandboxId
    },
    async stopSandbox(podSandboxId, options) {
      await ignoreNotFound(grpc.unary(method.stopPodSandbox, { podSandboxId }, options))
    },
    async removeSandbox(podSandboxId, options) {
      await ignoreNotFound(grpc.unary(method.removePodSandbox, { podSandboxId }, options))
    },
    async sandboxStatus(podSandboxId) {
      const answer = await ignoreNotFound(grpc.unary(method.podSandboxStatus, { podSandboxId }))
      return answer?.status && decodeSandboxStatus(answer.status)
    },
    async listSandboxes(filter) {
      const answer = await grpc.unary(method.listPodSandbox, { filter: { labelSelector: selectorOf(filter) } })
      return answer.items.map(decodeSandbox)
    },
  }
}

type ContainerCalls =
  | 'createContainer'
  | 'startContainer'
  | 'stopContainer'
  | 'removeContainer'
  | 'listContainers'
  | 'containerStatus'
  | 'reopenContainerLog'
  | 'containerStats'
  | 'sandboxStats'
  | 'updateContainerResources'
  | 'checkpointContainer'

function containerCalls(
  grpc: GrpcConnection,
  { RuntimeService: { method } }: CriModule,
): Pick<ContainerRuntime, ContainerCalls> {
  return {
    async createContainer(podSandboxId, config, sandbox, options) {
      const request = { podSandboxId, config: encodeContainer(config), sandboxConfig: encodeSandbox(sandbox) }
      return (await grpc.unary(method.createContainer, request, options)).containerId
    },
    async startContainer(containerId, options) {
      await grpc.unary(method.startContainer, { containerId }, options)
    },
    async stopContainer(containerId, timeoutSeconds, options = {}) {
      const request = { containerId, timeout: BigInt(Math.max(0, Math.ceil(timeoutSeconds))) }
      const timeoutMs = timeoutSeconds * 1000 + 120_000
      await ignoreNotFound(grpc.unary(method.stopContainer, request, { ...options, timeoutMs }))
    },
    async removeContainer(containerId, options) {
      await ignoreNotFound(grpc.unary(method.removeContainer, { containerId }, options))
    },
    async listContainers(filter) {
      const answer = await grpc.unary(method.listContainers, { filter: { labelSelector: selectorOf(filter) } })
      return answer.containers.map(decodeContainer)
    },
    async containerStatus({ id: containerId, sandboxId }) {
      const answer = await ignoreNotFound(grpc.unary(method.containerStatus, { containerId }))
      return answer?.status && decodeContainerStatus(answer.status, sandboxId)
    },
    async reopenContainerLog(containerId) {
      await grpc.unary(method.reopenContainerLog, { containerId })
    },
    async containerStats() {
      return (await grpc.unary(method.listContainerStats, {})).stats.map(decodeStats)
    },
    async sandboxStats() {
      return (await grpc.unary(method.listPodSandboxStats, {})).stats.map(decodeSandboxStats)
    },
    async checkpointContainer(containerId, location) {
      await grpc.unary(method.checkpointContainer, { containerId, location, timeout: 0n }, { timeoutMs: 0 })
    },
    async updateContainerResources(containerId, resources) {
      await grpc.unary(method.updateContainerResources, { containerId, linux: encodeResources(resources) })
    },
  }
}

type StreamingCalls = 'execSync' | 'exec' | 'attach' | 'portForward'

function streamingCalls(
  grpc: GrpcConnection,
  { RuntimeService: { method } }: CriModule,
): Pick<ContainerRuntime, StreamingCalls> {
  return {
    async execSync(containerId, command, timeoutSeconds) {
      const request = { containerId, cmd: [...command], timeout: BigInt(Math.ceil(timeoutSeconds)) }
      // The runtime enforces the timeout itself; ours is only for a runtime that does not answer.
      const timeoutMs = timeoutSeconds === 0 ? 0 : timeoutSeconds * 1000 + 30_000
      const { stdout, stderr, exitCode } = await grpc.unary(method.execSync, request, { timeoutMs })
      return { stdout, stderr, exitCode }
    },
    async exec(containerId, { command, ...streams }) {
      return (await grpc.unary(method.exec, { containerId, cmd: [...command], ...streams })).url
    },
    async attach(containerId, streams) {
      return (await grpc.unary(method.attach, { containerId, ...streams })).url
    },
    async portForward(podSandboxId, ports) {
      return (await grpc.unary(method.portForward, { podSandboxId, port: [...ports] })).url
    },
  }
}

type ImageCalls = 'listImages' | 'imageStatus' | 'pullImage' | 'removeImage' | 'imageFileSystem'

function imageCalls(grpc: GrpcConnection, { ImageService: { method } }: CriModule): Pick<ContainerRuntime, ImageCalls> {
  return {
    async listImages() {
      return (await grpc.unary(method.listImages, {})).images.map(decodeImage)
    },
    async imageStatus(image) {
      const answer = await grpc.unary(method.imageStatus, { image: { image } })
      return answer.image && decodeImage(answer.image)
    },
    async pullImage(image, { signal, auth } = {}) {
      const request = { image: { image, userSpecifiedImage: image }, ...(auth && { auth }) }
      // No limit: how long a pull may take depends on the image, and the runtime gives up on one without progress.
      return (await grpc.unary(method.pullImage, request, { ...(signal && { signal }), timeoutMs: 0 })).imageRef
    },
    async removeImage(image) {
      await grpc.unary(method.removeImage, { image: { image } })
    },
    async imageFileSystem() {
      const [first] = (await grpc.unary(method.imageFsInfo, {})).imageFilesystems
      if (first?.fsId === undefined) return undefined
      const { usedBytes, inodesUsed } = first
      return {
        mountPoint: first.fsId.mountpoint,
        usedBytes: Number(usedBytes?.value ?? 0n),
        usedInodes: Number(inodesUsed?.value ?? 0n),
      }
    },
  }
}

function selectorOf(filter: { readonly podUid?: string } | undefined): Record<string, string> {
  return filter?.podUid === undefined ? {} : { [podUidLabel]: filter.podUid }
}

function statusOf({ status, runtimeHandlers, features: ofRuntime }: StatusResponse): RuntimeStatus {
  const conditions = status?.conditions ?? []
  const isTrue = (type: string): boolean => conditions.some((condition) => condition.type === type && condition.status)
  const missing = conditions.filter((condition) => !condition.status)
  return {
    runtimeReady: isTrue('RuntimeReady'),
    networkReady: isTrue('NetworkReady'),
    message: missing.map(({ type, message }) => `${type}=false: ${message}`).join(', '),
    handlers: runtimeHandlers.map(({ name, features }) => ({
      name,
      recursiveReadOnly: features?.recursiveReadOnlyMounts ?? false,
      userNamespaces: features?.userNamespaces ?? false,
    })),
    supplementalGroupsPolicy: ofRuntime?.supplementalGroupsPolicy ?? false,
  }
}

async function ignoreNotFound<Answer>(call: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call
  } catch (error) {
    if (isRuntimeError(error, 'NotFound')) return undefined
    throw error
  }
}
