import type { UserInfo } from '#api/meta/exchange.ts'

/** Who the parts of the control plane are to the API server; as upstream names them, where it has them. */
export const identities = {
  controllerManager: user('system:kube-controller-manager'),
  scheduler: user('system:kube-scheduler'),
  proxy: user('system:kube-proxy'),
  metrics: user('coracle:resource-metrics'),
} as const

/** A node's kubelet: what it may do is decided by the Node authorizer. */
export function nodeIdentity(nodeName: string): UserInfo {
  return { name: `system:node:${nodeName}`, groups: ['system:nodes', 'system:authenticated'] }
}

function user(name: string): UserInfo {
  return { name, groups: ['system:authenticated'] }
}
