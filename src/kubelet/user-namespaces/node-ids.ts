import type { IdRange } from './id-range.ts'

/** What a range for one pod is a multiple of, and at least. */
export const idUnit = 65_536

/** Whom the node's owner gives the ids of pods to, in `/etc/subuid` and `/etc/subgid`. */
export const idOwner = 'kubelet'

/** How the machine says which ids were set aside for pods. */
export interface IdSource {
  /** Whether the machine has the user that they are set aside for. */
  hasOwner(): Promise<boolean>
  /** What `getsubids` prints of that user; `undefined` where there is no such program. */
  subordinates(kind: 'users' | 'groups'): Promise<string | undefined>
}

/**
 * The ids that pods of the node get their ranges from: those set aside for the kubelet's user, or, where there is no such
 * user, all but the first range, which the node's own users have. Throws, in upstream's words, for what cannot be used.
 */
export async function nodeIds(
  source: IdSource,
  { idsPerPod, maximumPods }: { readonly idsPerPod: number; readonly maximumPods: number },
): Promise<IdRange> {
  const range = (await setAside(source)) ?? { firstId: idsPerPod, length: 2 ** 32 - idsPerPod }
  const { firstId, length } = range
  if (firstId % idsPerPod !== 0)
    throw new Error(`kubelet user assigned ID ${firstId} is not a multiple of ${idsPerPod}`)
  if (firstId < idsPerPod)
    throw new Error(`kubelet user assigned ID ${firstId} must be greater or equal to ${idsPerPod}`)
  if (length % idsPerPod !== 0)
    throw new Error(`kubelet user assigned IDs length ${length} is not a multiple of ${idsPerPod}`)
  if (length / idsPerPod < maximumPods)
    throw new Error(`kubelet user assigned IDs are not enough to support ${maximumPods} pods`)
  return range
}

async function setAside(source: IdSource): Promise<IdRange | undefined> {
  if (!(await source.hasOwner())) return undefined
  const [users, groups] = await Promise.all([source.subordinates('users'), source.subordinates('groups')])
  if (users === undefined || groups === undefined) return undefined
  if (users !== groups) throw new Error(`mismatched subuids and subgids for user "${idOwner}"`)
  return parseSubordinates(users)
}

/** One line such as `0: kubelet 65536 7208960`. */
function parseSubordinates(text: string): IdRange {
  const lines = text.trim().split('\n')
  const said = JSON.stringify(text)
  if (lines.length !== 1) throw new Error(`error parsing line ${said}: it must contain only one line`)
  const words = text.trim().split(/\s+/)
  if (words.length !== 4) throw new Error(`invalid line ${said}`)
  const [firstId = Number.NaN, length = Number.NaN] = words.slice(2).map(toId)
  if (Number.isNaN(firstId + length)) throw new Error(`error parsing line ${said}`)
  return { firstId, length }
}

function toId(word: string): number {
  return /^\d+$/.test(word) && Number(word) < 2 ** 32 ? Number(word) : Number.NaN
}
