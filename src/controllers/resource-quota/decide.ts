import { inScope } from '#api/core/v1/quota-scope.ts'
import { addUsage, usageOf, type Usage } from '#api/core/v1/quota-usage.ts'
import { compareQuantities } from '#api/meta/quantity.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { ResourceQuota, ResourceQuotaStatus } from '#api/types/core.v1.ts'

const plainCounts: ReadonlySet<string> = new Set([
  'configmaps',
  'secrets',
  'services',
  'persistentvolumeclaims',
  'replicationcontrollers',
  'resourcequotas',
])

/** The resource, `plural` or `plural.group`, whose objects a name in `spec.hard` counts. */
export function countedResource(hardName: string): string {
  if (hardName.startsWith('count/')) return hardName.slice('count/'.length)
  if (plainCounts.has(hardName)) return hardName
  if (hardName.startsWith('services.')) return 'services'
  if (hardName === 'requests.storage' || hardName.includes('.storageclass.storage.k8s.io/')) {
    return 'persistentvolumeclaims'
  }
  if (hardName.endsWith('.deviceclass.resource.k8s.io/devices')) return 'resourceclaims.resource.k8s.io'
  return 'pods'
}

/** What the objects of the quota's namespace use of it. `objectsOf` lists them by resource. */
export function decideQuotaStatus(
  { spec }: ResourceQuota,
  objectsOf: (resource: string) => readonly KubernetesObject[],
): ResourceQuotaStatus {
  const hard = spec?.hard ?? {}
  const names = Object.keys(hard)
  let total: Usage = {}
  for (const resource of new Set(names.map(countedResource))) {
    for (const object of objectsOf(resource)) {
      if (inScope(spec ?? {}, resource, object)) total = addUsage(total, usageOf(resource, object))
    }
  }
  return { hard, used: Object.fromEntries(names.map((name) => [name, total[name] ?? '0'])) }
}

/** Whether two amounts, by name, are the same numbers however they are written. */
export function isSameUsage(left: Usage | undefined, right: Usage | undefined): boolean {
  const names = Object.keys(left ?? {})
  if (left === undefined || right === undefined) return left === right
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => right[name] !== undefined && compareQuantities(left[name]!, right[name]) === 0)
  )
}

/** Whether the recount frees something: charges may stand for objects that are about to be stored. */
export function isLower(recount: Usage | undefined, books: Usage | undefined): boolean {
  return Object.entries(recount ?? {}).some(([name, amount]) => compareQuantities(amount, books?.[name] ?? '0') < 0)
}
