import type { ContainerConfig, ExecResult } from '../cri/container.ts'
import type { SandboxConfig } from '../cri/sandbox.ts'

/** How one simulated container behaves. All parts may be left out. */
export interface ContainerBehaviour {
  /** From the start call to running. Default 0. */
  readonly startDelayMs?: number
  /** Ends by itself after this long; absent: it runs until it is stopped. */
  readonly exitAfterMs?: number
  readonly exitCode?: number
  /** `OOMKilled` and the like; default by the exit code. */
  readonly exitReason?: string
  /** From the stop call to the end; beyond the grace period it is killed. Default 0. */
  readonly stopDelayMs?: number
  /** Exit code after a stop in time. Default 0. */
  readonly stopExitCode?: number
  /** The start call fails with this text. */
  readonly startError?: string
  /** Answers exec probes and hooks. Default: success without output. */
  readonly exec?: (command: readonly string[]) => ExecResult
}

/** The programme of a simulated node. Called with what the kubelet asks for; the same question may come again. */
export interface SimulatedBehaviour {
  readonly container?: (config: ContainerConfig, sandbox: SandboxConfig) => ContainerBehaviour
  readonly sandboxDelayMs?: number
  /** Why no sandbox can be made, if so. */
  readonly sandboxError?: (config: SandboxConfig) => string | undefined
  /** Whether an image is on the node without being pulled. Default: all are. */
  readonly hasImage?: (image: string) => boolean
  readonly pullDelayMs?: number
  /** Why an image cannot be pulled, if so. */
  readonly pullError?: (image: string) => string | undefined
}
