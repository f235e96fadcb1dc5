import type { Container, Pod, PodSpec } from '#api/types/core.v1.ts'

/** A pod of one container, as the node sees it. */
export function podOf(uid: string, resources: Container['resources'] = {}, more: Partial<PodSpec> = {}): Pod {
  const metadata = { name: uid, namespace: 'default', uid, resourceVersion: '1', creationTimestamp: '' }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'main', resources }], ...more } }
}

export function guaranteed(uid: string, amounts: Readonly<Record<string, string>>): Pod {
  return podOf(uid, { requests: amounts, limits: amounts })
}
