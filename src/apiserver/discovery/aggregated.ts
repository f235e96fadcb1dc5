import { createHash } from 'node:crypto'
import type { ApiRequest, ApiResponse } from '#api/meta/exchange.ts'
import type { GroupRow } from '#api/schema/load.ts'
import type { ResourceRow } from '#api/schema/shapes.ts'
import { parseAccept } from '../encoding/media-types.ts'
import type { ResourceTable } from '../registry/resource-table.ts'
import { rowsOf } from './rows.ts'

/** Version of `apidiscovery.k8s.io` in which a client wants all groups at once (KEP-3352). */
export type AggregatedForm = 'v2' | 'v2beta1'

/** Whether the client prefers the aggregated list to the plain one. */
export function aggregatedForm({ headers }: ApiRequest): AggregatedForm | undefined {
  for (const { type, parameters } of parseAccept(headers['accept'] ?? '')) {
    if (type !== 'application/json' && type !== 'application/*' && type !== '*/*') continue
    if (parameters['as'] === undefined) return undefined
    if (parameters['g'] !== 'apidiscovery.k8s.io' || parameters['as'] !== 'APIGroupDiscoveryList') continue
    const version = parameters['v']
    if (version === 'v2' || version === 'v2beta1') return version
  }
  return undefined
}

/** Groups with their versions, resources and subresources in one answer; 304 for a client that has it already. */
export function aggregatedResponse(
  request: ApiRequest,
  form: AggregatedForm,
  groups: readonly GroupRow[],
  table: ResourceTable,
): ApiResponse {
  const list = {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${form}`,
    metadata: {},
    items: groups.map((group) => groupItem(group, table)),
  }
  const bytes = Buffer.from(JSON.stringify(list))
  const etag = `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"`
  if (request.headers['if-none-match'] === etag) {
    return { status: 304, headers: { etag, vary: 'Accept' }, body: { type: 'none' } }
  }
  const headers = {
    etag,
    'content-type': `application/json;g=apidiscovery.k8s.io;v=${form};as=APIGroupDiscoveryList`,
    vary: 'Accept',
  }
  return { status: 200, headers, body: { type: 'bytes', bytes } }
}

function groupItem({ name, versions }: GroupRow, table: ResourceTable): object {
  const stale = new Set(
    table
      .remote()
      .filter(({ group, isStale }) => isStale && group === name)
      .map(({ version }) => version),
  )
  return {
    metadata: { ...(name !== '' && { name }) },
    versions: versions.map((version) => ({
      version,
      resources: resourceItems(name, version, table),
      freshness: stale.has(version) ? 'Stale' : 'Current',
    })),
  }
}

function resourceItems(group: string, version: string, table: ResourceTable): object[] {
  const groupVersion = group === '' ? version : `${group}/${version}`
  const rows = rowsOf(table, groupVersion)
  const main = rows.filter((row) => !row.name.includes('/'))
  return main.map((row) => {
    const below = rows.filter((other) => other.name.startsWith(`${row.name}/`))
    return {
      resource: row.name,
      responseKind: kindOf(row, group, version),
      scope: row.namespaced ? 'Namespaced' : 'Cluster',
      singularResource: row.singularName,
      verbs: row.verbs,
      ...(row.shortNames && { shortNames: row.shortNames }),
      ...(row.categories && { categories: row.categories }),
      ...(below.length > 0 && { subresources: below.map((other) => subresourceItem(other, group, version)) }),
    }
  })
}

function subresourceItem(row: ResourceRow, group: string, version: string): object {
  const subresource = row.name.slice(row.name.indexOf('/') + 1)
  return { subresource, responseKind: kindOf(row, group, version), verbs: row.verbs }
}

function kindOf(row: ResourceRow, group: string, version: string): object {
  return { group: row.group ?? group, version: row.version ?? version, kind: row.kind }
}
