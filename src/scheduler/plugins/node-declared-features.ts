import { requiredNodeFeatures } from '#api/core/v1/pod/required-node-features.ts'
import type { Node } from '#api/types/core.v1.ts'
import { definePlugin } from '../framework.ts'

const plugin = 'NodeDeclaredFeatures'

/** A pod that relies on a feature that not every kubelet has goes to nodes that say that they have it (KEP-5328). */
export const nodeDeclaredFeatures = definePlugin<readonly string[]>({
  name: plugin,
  preFilter({ pod }) {
    const required = requiredNodeFeatures(pod.spec)
    return required.length === 0 ? 'skip' : required
  },
  filter(_pod, { node }, required) {
    const missing = missingOn(node, required)
    if (missing.length === 0) return undefined
    const reason = `node declared features check failed - unsatisfied requirements: ${missing.join(', ')}`
    return { plugin, reason, unresolvable: true }
  },
  remedy: (_pod, { name }) => `bring the kubelet of ${name} up to date`,
  helpedBy(change, { pod }) {
    if (change.type !== 'nodeAdded' && change.type !== 'nodeUpdated') return false
    return missingOn(change.node, requiredNodeFeatures(pod.spec)).length === 0
  },
})

function missingOn({ status }: Node, required: readonly string[]): readonly string[] {
  return required.filter((feature) => !status?.declaredFeatures?.includes(feature))
}
