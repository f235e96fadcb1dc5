import type { Container, PodSpec } from '../../../types/core.v1.ts'

/** The feature of nodes whose kubelet starts a whole pod anew when one of its containers says so (KEP-5532). */
export const restartAllFeature = 'RestartAllContainersOnContainerExits'

/** Features that a node must declare to run the pod (KEP-5328). */
export function requiredNodeFeatures({ containers, initContainers }: PodSpec): readonly string[] {
  const isAny = containers.some(restartsAll) || initContainers?.some(restartsAll) === true
  return isAny ? [restartAllFeature] : none
}

const none: readonly string[] = []

function restartsAll({ restartPolicyRules }: Container): boolean {
  return restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers') === true
}
