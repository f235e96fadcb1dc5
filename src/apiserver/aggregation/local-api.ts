import type { ResourceRow } from '#api/schema/shapes.ts'
import type { RemoteGroupVersion } from '../registry/resource-table.ts'

/**
 * An API that a part of this process answers for behind the server. An APIService that gives its version to another
 * server takes its place.
 */
export interface LocalApi {
  readonly group: string
  readonly version: string
  readonly rows: readonly ResourceRow[]
  readonly groupPriorityMinimum: number
  readonly versionPriority: number
  /** Whether there is anything to tell: it is hidden until then. */
  isServed(): boolean
  /** Answers what authentication and authorization let through. Rejects with a StatusError. */
  answer(question: LocalQuestion): Promise<object>
}

export interface LocalQuestion {
  readonly verb: string
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly labelSelector: string
  readonly fieldSelector: string
}

/** What discovery tells of it. */
export function localVersion(api: LocalApi): RemoteGroupVersion {
  const { group, version, rows, groupPriorityMinimum, versionPriority } = api
  return { group, version, rows, groupPriorityMinimum, versionPriority, openApiHash: '', isStale: false }
}
