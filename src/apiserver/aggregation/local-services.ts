import type { BootstrapObject } from '../bootstrap/bootstrap-store.ts'
import { apiServices } from '#api/types/resources.ts'
import type { APIService } from '#api/types/apiregistration.v1.ts'
import type { Catalog } from '#api/schema/catalog.ts'
import { customGroupPriority, customVersionPriority, groupPriority, versionPriority } from './priorities.ts'

const managed = 'kube-aggregator.kubernetes.io/automanaged'

/** The group that tells of all others is not told of. */
const untold = 'apiregistration.k8s.io'

/** An APIService for each version that the server itself answers for; made at the start. */
export function builtInServices({ groups }: Catalog, now: string): readonly BootstrapObject[] {
  const named = groups.filter(({ name }) => name !== untold)
  const all = [{ name: '', versions: ['v1'] }, ...named]
  return all.flatMap(({ name: group, versions }) =>
    versions.map((version) => {
      const priorities = { group: groupPriority(group), version: versionPriority(group, version) }
      return { resource: apiServices, object: localService({ group, version, label: 'onstart', priorities, now }) }
    }),
  )
}

interface LocalService {
  readonly group: string
  readonly version: string
  readonly label: 'onstart' | 'true'
  readonly priorities: { readonly group: number; readonly version: number }
  readonly now: string
}

function localService({ group, version, label, priorities, now }: LocalService): Omit<APIService, 'metadata'> & {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> }
} {
  const condition = {
    type: 'Available',
    status: 'True',
    lastTransitionTime: now,
    reason: 'Local',
    message: 'Local APIServices are always available',
  }
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `${version}.${group}`, labels: { [managed]: label } },
    spec: {
      ...(group !== '' && { group }),
      version,
      groupPriorityMinimum: priorities.group,
      versionPriority: priorities.version,
    },
    status: { conditions: [condition] },
  }
}

/** The APIService of a version that definitions declare: it comes and goes with them. */
export function customService(group: string, version: string, now: string): object {
  const priorities = { group: customGroupPriority, version: customVersionPriority }
  return localService({ group, version, label: 'true', priorities, now })
}

/** Whether an APIService was made for definitions, so that it goes with them. */
export function isOfDefinitions({ metadata, spec }: APIService): boolean {
  return metadata.labels?.[managed] === 'true' && spec.service === undefined
}
