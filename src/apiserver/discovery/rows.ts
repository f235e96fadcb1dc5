import { schemaGroups, schemaResources, type GroupRow } from '#api/schema/load.ts'
import type { ResourceRow } from '#api/schema/shapes.ts'
import { compareVersions } from '../crd/version-order.ts'
import { customVerbs } from '../crd/served-versions.ts'
import type { ResourceTable } from '../registry/resource-table.ts'
import type { ServedResource } from '../registry/served-resource.ts'

/** The named groups that are served: the built-in ones in their order, then those of custom resources by name. */
export function groupsOf(table: ResourceTable): readonly GroupRow[] {
  const versions = new Map<string, Set<string>>()
  for (const { group, version } of table.custom()) {
    const known = versions.get(group) ?? new Set()
    versions.set(group, known.add(version))
  }
  if (versions.size === 0) return schemaGroups()
  const builtIn = schemaGroups().map((row) => withVersions(row, versions.get(row.name)))
  const names = [...versions.keys()].filter((name) => !table.hasBuiltInGroup(name)).sort()
  const added = names.map((name): GroupRow => {
    const sorted = [...(versions.get(name) ?? [])].sort(compareVersions)
    return { name, versions: sorted, preferred: sorted[0] ?? '' }
  })
  return [...builtIn, ...added]
}

function withVersions(row: GroupRow, more: ReadonlySet<string> | undefined): GroupRow {
  if (more === undefined) return row
  const added = [...more].filter((version) => !row.versions.includes(version)).sort(compareVersions)
  return { ...row, versions: [...row.versions, ...added] }
}

/** Discovery's rows of one group and version, built-in and custom. */
export function rowsOf(table: ResourceTable, groupVersion: string): readonly ResourceRow[] {
  const builtIn = schemaResources().filter((row) => row.groupVersion === groupVersion)
  const custom = [...table.custom()].filter(({ group, version }) => `${group}/${version}` === groupVersion)
  custom.sort((a, b) => (a.plural < b.plural ? -1 : 1))
  return [...builtIn, ...custom.flatMap(customRows)]
}

function customRows({
  group,
  version,
  plural,
  singular,
  namespaced,
  kind,
  subresources,
  custom,
}: ServedResource): ResourceRow[] {
  const { shortNames, categories } = custom?.definition.status?.acceptedNames ?? {}
  const main: ResourceRow = {
    groupVersion: `${group}/${version}`,
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: customVerbs,
    ...(shortNames && { shortNames }),
    ...(categories && { categories }),
  }
  return [main, ...[...subresources.values()].map(({ row }) => row)]
}
