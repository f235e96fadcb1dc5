import type { Draft } from '#api/kind.ts'
import type { Pod, Toleration } from '#api/types/core.v1.ts'
import type { AdmissionPlugin } from './admission.ts'

const keys = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const
const defaultSeconds = 300

/** Pods stay five minutes on a node that is not ready or out of reach, unless they say otherwise. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  resources: ['pods'],
  operations: ['CREATE', 'UPDATE'],
  mutate({ object }) {
    const spec = (object as Draft<Pod>).spec
    if (spec === undefined) return
    const missing = keys.filter((key) => !spec.tolerations?.some((toleration) => tolerates(toleration, key)))
    for (const key of missing) {
      ;(spec.tolerations ??= []).push({
        key,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: defaultSeconds,
      })
    }
  },
}

function tolerates(toleration: Toleration, key: string): boolean {
  return (!toleration.key || toleration.key === key) && (!toleration.effect || toleration.effect === 'NoExecute')
}
