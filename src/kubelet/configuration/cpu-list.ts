/** How many processors a list such as `0-2,5` names. */
export function cpuCount(list: string): number {
  const cpus = list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.trim().split('-').map(Number)
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
  })
  return new Set(cpus).size
}
