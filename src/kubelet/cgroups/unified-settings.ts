import type { Container, Pod } from '#api/types/core.v1.ts'
import { containerSwapBytes, type NodeSwap } from '../memory/container-swap.ts'

/** What a node with cgroup v2 does that one with v1 cannot. */
export interface UnifiedNode {
  /** When the kernel ends a process for its memory, the whole container ends with it. */
  readonly endsWholeContainer: boolean
  /** Absent: the kernel does not count swap. */
  readonly swap?: NodeSwap
}

/** Files of a container's group that only cgroup v2 has, and what to write into them. */
export function unifiedSettings(
  pod: Pod,
  container: Container,
  { endsWholeContainer, swap }: UnifiedNode,
  memoryCapacityBytes: number,
): Readonly<Record<string, string>> {
  return {
    ...(endsWholeContainer && { 'memory.oom.group': '1' }),
    ...(swap && { 'memory.swap.max': String(containerSwapBytes(pod, container, swap, memoryCapacityBytes)) }),
  }
}
