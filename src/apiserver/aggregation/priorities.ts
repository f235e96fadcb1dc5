/** Where a group stands among others in discovery, and its versions among themselves (Kubernetes' own numbers). */
const groups: Readonly<Record<string, number>> = {
  '': 18_000,
  'apiregistration.k8s.io': 20_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'apiextensions.k8s.io': 16_700,
  'admissionregistration.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
  'internal.apiserver.k8s.io': 16_000,
  'resource.k8s.io': 16_200,
  'storagemigration.k8s.io': 15_800,
}

const versions: Readonly<Record<string, number>> = {
  v1: 1,
  'autoscaling/v2': 30,
  'flowcontrol.apiserver.k8s.io/v1': 21,
}

/** Of groups that definitions declare. */
export const customGroupPriority = 1_000
export const customVersionPriority = 100
const usualVersionPriority = 15

export function groupPriority(group: string): number {
  return groups[group] ?? customGroupPriority
}

export function versionPriority(group: string, version: string): number {
  return versions[group === '' ? version : `${group}/${version}`] ?? usualVersionPriority
}
