import { isSameJson } from '#api/meta/merge-patch.ts'
import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'

/**
 * What is remembered while plugins change an object. When a webhook or a policy changed it, all plugins are asked a second
 * time, once: those webhooks and policies only that want it (`reinvocationPolicy: IfNeeded`), and only when the object is
 * not what they left behind (Kubernetes docs, "Dynamic Admission Control: Reinvocation policy").
 */
export class Reinvocation {
  isSecond = false
  wasChanged = false
  readonly left = new Map<unknown, unknown>()
}

interface Invoked {
  readonly reinvocation?: Reinvocation
  readonly object: Draft<KubernetesObject> | undefined
}

/** Whether a webhook or policy is to be asked in this round. */
export function isInvoked({ reinvocation, object }: Invoked, who: unknown, policy: string | undefined): boolean {
  if (reinvocation?.isSecond !== true) return true
  return policy === 'IfNeeded' && reinvocation.left.has(who) && !isSameJson(reinvocation.left.get(who), object)
}

/** Remembers how a webhook or policy left the object, where it wants to be asked again. */
export function noteInvocation({ reinvocation, object }: Invoked, who: unknown, policy: string | undefined): void {
  if (policy === 'IfNeeded') reinvocation?.left.set(who, structuredClone(object))
}
