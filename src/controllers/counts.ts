/** The object without members that are 0: statuses leave out counts of nothing. */
export function withoutZeros<T extends object>(counts: T): T {
  return Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== 0)) as T
}
