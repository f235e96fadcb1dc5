import type { Job } from '#api/types/batch.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'

/** The annotation, label and, by reference, environment variable that tell an indexed pod its index. */
export const completionIndexName = 'batch.kubernetes.io/job-completion-index'

export function isIndexed(job: Job): boolean {
  return job.spec.completionMode === 'Indexed'
}

/** The pod's completion index, or undefined for a pod without one. */
export function completionIndexOf({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[completionIndexName] ?? metadata.labels?.[completionIndexName]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** The numbers of a list such as `1,3-5`. */
export function parseIndexes(text: string | undefined): Set<number> {
  const indexes = new Set<number>()
  for (const part of (text ?? '').split(',').filter((part) => part !== '')) {
    const [first = 0, last = first] = part.split('-').map(Number)
    for (let index = first; index <= last; index++) indexes.add(index)
  }
  return indexes
}

/** The shortest list of ranges for the numbers: `1,3-5`. */
export function formatIndexes(indexes: Iterable<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b)
  const ranges: string[] = []
  for (let from = 0; from < sorted.length;) {
    let to = from
    while (sorted[to + 1] === (sorted[to] as number) + 1) to++
    ranges.push(from === to ? `${sorted[from]}` : `${sorted[from]}${to === from + 1 ? ',' : '-'}${sorted[to]}`)
    from = to + 1
  }
  return ranges.join(',')
}
