import type { Job } from '#api/types/batch.v1.ts'
import { parseIndexes } from './completion-index.ts'

/** Which rule of the job's success policy the completed indexes meet, as a sentence; undefined: none (KEP-3998). */
export function metSuccessRule({ spec }: Job, completed: ReadonlySet<number>): string | undefined {
  for (const [at, { succeededCount, succeededIndexes }] of (spec.successPolicy?.rules ?? []).entries()) {
    const wanted = succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes)
    const met = wanted === undefined ? completed.size : [...wanted].filter((index) => completed.has(index)).length
    const needed = succeededCount ?? wanted?.size
    if (needed !== undefined && met >= needed) return `Matched rules at index ${at}`
  }
  return undefined
}
