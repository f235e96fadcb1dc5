import type { Pod } from '#api/types/core.v1.ts'
import { pods } from '#api/types/resources.ts'
import type { Informers } from '#client/informer.ts'

/** The pods bound to a node. */
export function podsOnNode(informers: Informers, nodeName: string): readonly Pod[] {
  return informers.of(pods).index('node', ({ spec }) => (spec.nodeName ? [spec.nodeName] : []))(nodeName)
}
