import { formatCpuList, parseCpuList, type CpuSet } from './cpu-list.ts'

/** Who has which processors. */
export interface CpuState {
  /** For everybody who has none of his own. */
  readonly shared: CpuSet
  /** By pod uid, by container. */
  readonly exclusive: ReadonlyMap<string, ReadonlyMap<string, CpuSet>>
}

/** The file `cpu_manager_state`, in upstream's form but for its checksum, which nothing but Go can compute. */
interface CpuStateText {
  readonly policyName: string
  readonly defaultCpuSet: string
  readonly entries?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export function formatCpuState({ shared, exclusive }: CpuState): string {
  const entries = [...exclusive].map(([uid, containers]) => {
    return [uid, Object.fromEntries([...containers].map(([name, cpus]) => [name, formatCpuList(cpus)]))] as const
  })
  const text: CpuStateText = {
    policyName: 'static',
    defaultCpuSet: formatCpuList(shared),
    entries: Object.fromEntries(entries),
  }
  return `${JSON.stringify(text)}\n`
}

/** The name of the policy that wrote the text. Throws when it is not such a text. */
export function policyOfState(text: string): string {
  return (JSON.parse(text) as CpuStateText).policyName
}

export interface CpuStateRules {
  readonly all: CpuSet
  readonly reserved: CpuSet
  /** The reserved ones are for the system alone. */
  readonly isStrict: boolean
}

/** Reads what `formatCpuState` wrote. Throws when it is not that, or not of this machine with these settings. */
export function parseCpuState(text: string, { all, reserved, isStrict }: CpuStateRules): CpuState {
  const { defaultCpuSet, entries = {} } = JSON.parse(text) as CpuStateText
  const shared = parseCpuList(defaultCpuSet)
  const exclusive = new Map(
    Object.entries(entries).map(([uid, containers]) => {
      return [uid, new Map(Object.entries(containers).map(([name, list]) => [name, parseCpuList(list)]))] as const
    }),
  )
  const given = new Set(
    [...exclusive.values()].flatMap((containers) => [...containers.values()]).flatMap((cpus) => [...cpus]),
  )
  const [list, reservedList] = [formatCpuList(shared), formatCpuList(reserved)]
  if (!isStrict && !reserved.isSubsetOf(shared))
    throw new Error(`not all reserved cpus: "${reservedList}" are present in defaultCpuSet: "${list}"`)
  if (isStrict && !reserved.isDisjointFrom(shared))
    throw new Error(`some of strictly reserved cpus: "${reservedList}" are present in defaultCpuSet: "${list}"`)
  if (!given.isDisjointFrom(shared)) throw new Error(`assigned cpus "${formatCpuList(given)}" overlap with "${list}"`)
  const known = shared.union(given).union(isStrict ? reserved : new Set<number>())
  if (known.symmetricDifference(all).size > 0) {
    throw new Error(
      `current set of available CPUs "${formatCpuList(all)}" doesn't match with CPUs in state "${formatCpuList(known)}"`,
    )
  }
  return { shared, exclusive }
}
