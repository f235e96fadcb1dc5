import type { ContainerConfig, ContainerInfo, ContainerResources, ContainerStatus, ExecResult } from './container.ts'
import type { AuthConfig, ImageInfo } from './image.ts'
import type { SandboxConfig, SandboxInfo, SandboxStatus } from './sandbox.ts'

/**
 * What the kubelet asks of a container runtime: the calls of CRI v1 that it uses, as promises of plain values. Failures
 * are `RuntimeError`s. Two implementations: `containerd-runtime.ts` (gRPC) and `simulated/` (memory).
 */
export interface ContainerRuntime {
  version(): Promise<RuntimeVersion>
  /** Whether pods can run at all and whether their network is set up. */
  status(): Promise<RuntimeStatus>

  /** Creates and starts a sandbox with its network; resolves to its id. */
  runSandbox(config: SandboxConfig, options?: RuntimeCallOptions & { readonly handler?: string }): Promise<string>
  /** Stops all containers of the sandbox by force and takes its network down. Idempotent. */
  stopSandbox(id: string, options?: RuntimeCallOptions): Promise<void>
  /** Removes the sandbox and its containers. Idempotent. */
  removeSandbox(id: string, options?: RuntimeCallOptions): Promise<void>
  /** `undefined` when the sandbox does not exist. */
  sandboxStatus(id: string): Promise<SandboxStatus | undefined>
  /** `podUid` narrows the list to one pod. */
  listSandboxes(filter?: { readonly podUid?: string }): Promise<readonly SandboxInfo[]>

  createContainer(
    sandboxId: string,
    config: ContainerConfig,
    sandbox: SandboxConfig,
    options?: RuntimeCallOptions,
  ): Promise<string>
  startContainer(id: string, options?: RuntimeCallOptions): Promise<void>
  /** Sends the stop signal, waits `timeoutSeconds`, then kills. Idempotent. */
  stopContainer(id: string, timeoutSeconds: number, options?: RuntimeCallOptions): Promise<void>
  removeContainer(id: string, options?: RuntimeCallOptions): Promise<void>
  listContainers(filter?: { readonly podUid?: string }): Promise<readonly ContainerInfo[]>
  /** `undefined` when the container does not exist. */
  containerStatus(container: Pick<ContainerInfo, 'id' | 'sandboxId'>): Promise<ContainerStatus | undefined>
  /** Makes the runtime open the log file again after it was renamed. */
  reopenContainerLog(id: string): Promise<void>
  containerStats(): Promise<readonly ContainerStats[]>
  /** What the sandboxes that run use beyond their containers' share. */
  sandboxStats(): Promise<readonly SandboxStats[]>
  /** Changes the limits of a container that runs; settings that are 0 stay as they are. */
  updateContainerResources(id: string, resources: ContainerResources): Promise<void>
  /** Writes the state of a running container into an archive, if the runtime can. */
  checkpointContainer(id: string, location: string): Promise<void>
  /** Where images lie and what they take; `undefined` while the runtime has not looked. */
  imageFileSystem(): Promise<ImageFileSystem | undefined>

  /** Runs a command to its end. A timeout is a `RuntimeError` with code `DeadlineExceeded`. */
  execSync(id: string, command: readonly string[], timeoutSeconds: number): Promise<ExecResult>
  /** URLs of the runtime's streaming server, for one connection each. */
  exec(id: string, request: ExecRequest): Promise<string>
  attach(id: string, request: Omit<ExecRequest, 'command'>): Promise<string>
  portForward(sandboxId: string, ports: readonly number[]): Promise<string>

  listImages(): Promise<readonly ImageInfo[]>
  /** `undefined` when the image is not present. */
  imageStatus(image: string): Promise<ImageInfo | undefined>
  /** Resolves to the reference under which the pulled image can be used. */
  pullImage(image: string, options?: RuntimeCallOptions & { readonly auth?: AuthConfig }): Promise<string>
  removeImage(image: string): Promise<void>

  /**
   * Containers and sandboxes that changed state, as they happen, until the signal aborts or the stream breaks (then it
   * throws). Events may be missed around a break: look at everything after (re)connecting.
   */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>
  close(): Promise<void>
}

export interface RuntimeCallOptions {
  readonly signal?: AbortSignal
}

export interface RuntimeVersion {
  readonly name: string
  readonly version: string
}

export interface RuntimeStatus {
  readonly runtimeReady: boolean
  readonly networkReady: boolean
  /** What is missing, in the runtime's words; empty when all is well. */
  readonly message: string
  /** The runtime's handlers (runtime classes name them; the default one is empty) and what each can do. */
  readonly handlers: readonly RuntimeHandler[]
  /** It can leave out the groups that an image gives a user. */
  readonly supplementalGroupsPolicy: boolean
}

export interface RuntimeHandler {
  readonly name: string
  readonly recursiveReadOnly: boolean
  /** Pods can have users of their own, and their mounts the owners that belong to them. */
  readonly userNamespaces: boolean
}

export interface ExecRequest {
  readonly command: readonly string[]
  readonly tty: boolean
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
}

export interface RuntimeEvent {
  /** Id of a container or a sandbox; absent for "the stream is open: look at everything". */
  readonly id?: string
}

export interface ContainerStats {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  readonly timestampMs: number
  readonly cpuUsageNanoseconds: number
  readonly cpuUsageNanoCores: number
  readonly memoryWorkingSetBytes: number
  readonly memoryUsageBytes: number
  readonly memoryRssBytes: number
  readonly pageFaults: number
  readonly majorPageFaults: number
  readonly writableLayerBytes: number
  readonly writableLayerInodes: number
}

export interface SandboxStats {
  readonly id: string
  readonly podUid: string
  readonly timestampMs: number
  readonly processes: number
  /** The first is the pod's own; none where it shares the node's network. */
  readonly interfaces: readonly InterfaceStats[]
}

export interface InterfaceStats {
  readonly name: string
  readonly receivedBytes: number
  readonly receiveErrors: number
  readonly sentBytes: number
  readonly sendErrors: number
}

export interface ImageFileSystem {
  readonly mountPoint: string
  readonly usedBytes: number
  readonly usedInodes: number
}

export type RuntimeErrorCode =
  | 'NotFound'
  | 'AlreadyExists'
  | 'DeadlineExceeded'
  | 'Cancelled'
  | 'Unavailable'
  | 'Unimplemented'
  | 'InvalidArgument'
  | 'PermissionDenied'
  | 'ResourceExhausted'
  | 'FailedPrecondition'
  | 'Aborted'
  | 'OutOfRange'
  | 'Internal'
  | 'DataLoss'
  | 'Unauthenticated'
  | 'Unknown'

/** A failed runtime call. `message` is the runtime's own text with upstream's `rpc error: …` prefix. */
export class RuntimeError extends Error {
  readonly code: RuntimeErrorCode
  /** The runtime's text without the prefix. */
  readonly details: string

  constructor(code: RuntimeErrorCode, details: string) {
    super(`rpc error: code = ${code} desc = ${details}`)
    this.name = 'RuntimeError'
    this.code = code
    this.details = details
  }
}

export function isRuntimeError(error: unknown, ...codes: readonly RuntimeErrorCode[]): error is RuntimeError {
  return error instanceof RuntimeError && (codes.length === 0 || codes.includes(error.code))
}
