import { createHash } from 'node:crypto'
import type { ApiResponse } from '#api/meta/exchange.ts'
import type { GroupRow } from '#api/schema/load.ts'
import type { ResourceRow } from '#api/schema/shapes.ts'
import { objectResponse, pageNotFound } from '../encoding/responses.ts'
import type { RequestContext } from '../request-context.ts'
import { unknownResource } from '../steps/refusals.ts'
import type { ResourceTable } from '../registry/resource-table.ts'
import { aggregatedForm, aggregatedResponse } from './aggregated.ts'
import { groupsOf, rowsOf } from './rows.ts'

/** `/api` and `/apis` with their groups and versions: what is served (API reference, "Discovery API"). */
export function apiLists(context: RequestContext): ApiResponse | undefined {
  const [root, ...rest] = context.request.path.replace(/^\/+|\/+$/g, '').split('/')
  if (root === 'api') return coreLists(context, rest)
  return root === 'apis' ? groupLists(context, rest) : undefined
}

function coreLists(context: RequestContext, [version]: readonly string[]): ApiResponse {
  const { resources } = context.server
  if (version === 'v1') return objectResponse(coreResourceList(resources))
  if (version !== undefined) throw unknownResource()
  const form = aggregatedForm(context.request)
  if (form !== undefined)
    return aggregatedResponse(context.request, form, [{ name: '', versions: ['v1'], preferred: 'v1' }], resources)
  return objectResponse(apiVersions(context))
}

function groupLists(context: RequestContext, [group, version]: readonly string[]): ApiResponse {
  const { resources: table } = context.server
  const groups = groupsOf(table)
  if (group === undefined) {
    const form = aggregatedForm(context.request)
    if (form !== undefined) return aggregatedResponse(context.request, form, groups, table)
    return objectResponse({ kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupEntry) })
  }
  const row = groups.find((candidate) => candidate.name === group)
  if (row === undefined) return pageNotFound()
  if (version === undefined) return objectResponse({ kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(row) })
  if (!row.versions.includes(version)) {
    if (!table.hasBuiltInGroup(group)) return pageNotFound()
    throw unknownResource()
  }
  const groupVersion = `${group}/${version}`
  return objectResponse({
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: resourcesOf(groupVersion, table),
  })
}

function apiVersions({ request }: RequestContext): object {
  const serverAddress = request.headers[':authority'] ?? request.headers['host'] ?? ''
  const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress }]
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs }
}

/** The core group's list is older than `apiVersion` in lists, and goes without. */
function coreResourceList(table: ResourceTable): object {
  return { kind: 'APIResourceList', groupVersion: 'v1', resources: resourcesOf('v1', table) }
}

function groupEntry({ name, versions, preferred }: GroupRow): object {
  const entry = (version: string): object => ({ groupVersion: `${name}/${version}`, version })
  return { name, versions: versions.map(entry), preferredVersion: entry(preferred) }
}

function resourcesOf(groupVersion: string, table: ResourceTable): object[] {
  return rowsOf(table, groupVersion).map(({ groupVersion: _where, ...row }) => ({
    ...row,
    ...hashOf(groupVersion, row),
  }))
}

/** Changes when objects are stored in another version; clients only compare it. */
function hashOf(groupVersion: string, row: Omit<ResourceRow, 'groupVersion'>): object {
  if (row.name.includes('/') || !row.verbs.includes('create') || !row.verbs.includes('list')) return {}
  const digest = createHash('sha256').update(`${groupVersion}/${row.kind}`).digest()
  return { storageVersionHash: digest.subarray(0, 8).toString('base64') }
}
