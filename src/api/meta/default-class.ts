import type { KubernetesObject } from './resource.ts'

/** Of the classes whose annotation marks them as default: the newest, and of equally new ones the first by name. */
export function newestDefault<T extends KubernetesObject>(
  classes: readonly T[],
  annotations: readonly string[],
): T | undefined {
  const isDefault = (object: T): boolean => annotations.some((name) => object.metadata.annotations?.[name] === 'true')
  const age = (object: T): number => Date.parse(object.metadata.creationTimestamp) || 0
  const byName = (a: T, b: T): number => (a.metadata.name < b.metadata.name ? -1 : 1)
  return classes.filter(isDefault).toSorted((a, b) => age(b) - age(a) || byName(a, b))[0]
}
