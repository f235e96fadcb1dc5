import type { IdRange } from './id-range.ts'

/** How a pod's range is kept in its folder, as upstream writes it. */
export function formatMappings({ firstId, length }: IdRange): string {
  const mappings = [{ hostId: firstId, containerId: 0, length }]
  return JSON.stringify({ uidMappings: mappings, gidMappings: mappings })
}

interface Mapping {
  readonly hostId: number
  readonly containerId: number
  readonly length: number
}

/** Throws for a text that `formatMappings` has not made. */
export function parseMappings(text: string): IdRange {
  const invalid = (what: string): Error => new Error(`invalid user namespace ${what}`)
  const { uidMappings = [], gidMappings = [] } = parsed(text)
  const [users] = uidMappings
  if (users === undefined || uidMappings.length > 1) throw invalid('configuration: no more than one mapping allowed.')
  if (JSON.stringify(uidMappings) !== JSON.stringify(gidMappings))
    throw invalid('configuration: GID and UID mapping should be identical')
  if (users.containerId !== 0) throw invalid('configuration: UID 0 must be mapped')
  if (!Number.isSafeInteger(users.hostId) || !Number.isSafeInteger(users.length)) throw invalid('mappings file')
  return { firstId: users.hostId, length: users.length }
}

function parsed(text: string): {
  readonly uidMappings?: readonly Mapping[]
  readonly gidMappings?: readonly Mapping[]
} {
  try {
    return (JSON.parse(text) as object | null) ?? {}
  } catch (error) {
    throw new Error(`invalid user namespace mappings file: ${(error as Error).message}`, { cause: error })
  }
}
