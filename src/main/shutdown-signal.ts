import type { RunningNode } from './node.ts'

/**
 * SIGPWR, what init systems and power supplies send when the machine goes down, ends the node's pods in the order that
 * the kubelet's configuration gives. The node stays, not ready, until it is ended like any other process.
 */
export function shutDownOnPowerFailure(node: RunningNode): void {
  process.once('SIGPWR', () => void node.shutDown())
}
