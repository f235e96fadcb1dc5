import { splitGroupVersion } from '#api/schema/catalog.ts'
import type { GroupRow } from '#api/schema/load.ts'
import type { ResourceRow } from '#api/schema/shapes.ts'
import { compareVersions } from '../crd/version-order.ts'
import { customVerbs } from '../crd/served-versions.ts'
import { groupPriority } from '../aggregation/priorities.ts'
import type { RemoteGroupVersion, ResourceTable } from '../registry/resource-table.ts'
import type { ServedResource } from '../registry/served-resource.ts'

/** The named groups that are served: the built-in ones in their order, then those of custom resources by name. */
export function groupsOf(table: ResourceTable): readonly GroupRow[] {
  const versions = new Map<string, Set<string>>()
  for (const { group, version } of table.custom()) {
    const known = versions.get(group) ?? new Set()
    versions.set(group, known.add(version))
  }
  const remote = table.remote()
  if (versions.size === 0 && remote.length === 0) return table.catalog.groups
  const builtIn = table.catalog.groups.map((row) => withVersions(row, versions.get(row.name)))
  const names = [...versions.keys()].filter((name) => !table.hasBuiltInGroup(name)).sort()
  const added = names.map((name): GroupRow => {
    const sorted = [...(versions.get(name) ?? [])].sort(compareVersions)
    return { name, versions: sorted, preferred: sorted[0] ?? '' }
  })
  return withRemote([...builtIn, ...added], remote)
}

/** The groups of other servers stand where their priority puts them; of one name that is there, their versions are added. */
function withRemote(groups: readonly GroupRow[], remote: readonly RemoteGroupVersion[]): readonly GroupRow[] {
  const rows = [...groups]
  const byGroup = Map.groupBy(remote, ({ group }) => group)
  const names = [...byGroup.keys()].sort()
  for (const name of names) {
    const versions = (byGroup.get(name) ?? []).toSorted(
      (a, b) => b.versionPriority - a.versionPriority || compareVersions(a.version, b.version),
    )
    const own = versions.map(({ version }) => version)
    const at = rows.findIndex((row) => row.name === name)
    const known = rows[at]
    if (known !== undefined) {
      rows[at] = { ...known, versions: [...new Set([...known.versions, ...own])] }
      continue
    }
    const priority = Math.max(...versions.map(({ groupPriorityMinimum }) => groupPriorityMinimum))
    const before = rows.findIndex((row) => groupPriority(row.name) < priority)
    rows.splice(before < 0 ? rows.length : before, 0, { name, versions: own, preferred: own[0] ?? '' })
  }
  return rows
}

function withVersions(row: GroupRow, more: ReadonlySet<string> | undefined): GroupRow {
  if (more === undefined) return row
  const added = [...more].filter((version) => !row.versions.includes(version)).sort(compareVersions)
  return { ...row, versions: [...row.versions, ...added] }
}

/** Discovery's rows of one group and version, built-in and custom. */
export function rowsOf(table: ResourceTable, groupVersion: string): readonly ResourceRow[] {
  const { group: name, version: of } = splitGroupVersion(groupVersion)
  const builtIn = table.catalog.rows(name, of)
  const custom = [...table.custom()].filter(({ group, version }) => `${group}/${version}` === groupVersion)
  custom.sort((a, b) => (a.plural < b.plural ? -1 : 1))
  const remote = table.remote().filter(({ group, version }) => `${group}/${version}` === groupVersion)
  return [...builtIn, ...custom.flatMap(customRows), ...remote.flatMap(({ rows }) => rows)]
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
