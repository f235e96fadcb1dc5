/** The resource of huge pages with so many bytes: `hugepages-2Mi`, `hugepages-1Gi`. */
export function hugePageResource(pageBytes: number): string {
  return `hugepages-${inUnits(pageBytes, 'i')}`
}

/** As control groups name the size: `2MB`, `1GB`. */
export function hugePageSize(pageBytes: number): string {
  return `${inUnits(pageBytes, 'B')}`
}

const units = ['K', 'M', 'G'] as const

function inUnits(bytes: number, suffix: string): string {
  const exponent = units.findLastIndex((_unit, index) => bytes % 1024 ** (index + 1) === 0)
  return `${bytes / 1024 ** (exponent + 1)}${units[exponent] ?? ''}${suffix}`
}
