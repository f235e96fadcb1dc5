/** Logical processors by number. */
export type CpuSet = ReadonlySet<number>

/** Reads a list such as `0-2,5`, as the kernel writes it. Throws for anything else. */
export function parseCpuList(list: string): CpuSet {
  const parts = list
    .trim()
    .split(',')
    .filter((part) => part !== '')
  return new Set(
    parts.flatMap((part) => {
      const [, first = '', last = first] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? []
      if (first === '' || Number(last) < Number(first)) throw new Error(`"${list}" is no list of processors`)
      return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index)
    }),
  )
}

/** Writes the list that `parseCpuList` reads, the shortest and in order. */
export function formatCpuList(cpus: CpuSet): string {
  const parts: { first: number; last: number }[] = []
  for (const cpu of sorted(cpus)) {
    const open = parts.at(-1)
    if (open !== undefined && open.last + 1 === cpu) open.last = cpu
    else parts.push({ first: cpu, last: cpu })
  }
  return parts.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(',')
}

function sorted(cpus: CpuSet): readonly number[] {
  return [...cpus].toSorted((a, b) => a - b)
}
