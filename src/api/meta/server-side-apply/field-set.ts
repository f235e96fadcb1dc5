import type { FieldsV1 } from '../../types/meta.v1.ts'

/**
 * A set of field paths as a tree: which fields a manager owns. `isMember` says that the path up to here is in the set;
 * `below` leads on. Steps are written as in `FieldsV1`: `f:name`, `k:{"name":"c"}`, `v:"value"`.
 *
 * Example: {.data.x, .metadata.labels, .metadata.labels.a} is
 * `{"f:data":{"f:x":{}},"f:metadata":{"f:labels":{".":{},"f:a":{}}}}`.
 */
export interface FieldSet {
  readonly isMember: boolean
  readonly below: ReadonlyMap<string, FieldSet>
}

const noChildren: ReadonlyMap<string, FieldSet> = new Map()

export const emptySet: FieldSet = { isMember: false, below: noChildren }
/** The set of only the path it stands for. */
export const leaf: FieldSet = { isMember: true, below: noChildren }

export function isEmptySet(set: FieldSet): boolean {
  return !set.isMember && set.below.size === 0
}

/** Collects paths one by one. */
export class FieldSetBuilder {
  #isMember = false
  readonly #below = new Map<string, FieldSetBuilder>()

  insert(path: readonly string[], from: number = 0): void {
    const step = path[from]
    if (step === undefined) {
      this.#isMember = true
      return
    }
    let next = this.#below.get(step)
    if (!next) this.#below.set(step, (next = new FieldSetBuilder()))
    next.insert(path, from + 1)
  }

  build(): FieldSet {
    if (this.#below.size === 0) return this.#isMember ? leaf : emptySet
    return {
      isMember: this.#isMember,
      below: new Map([...this.#below].map(([step, builder]) => [step, builder.build()])),
    }
  }
}

/** The set of the given paths. */
export function setOfPaths(paths: readonly (readonly string[])[]): FieldSet {
  const builder = new FieldSetBuilder()
  for (const path of paths) builder.insert(path)
  return builder.build()
}

/** Reads `fieldsV1`. What is no such tree is taken for an empty set, as it cannot own anything. */
export function readFieldSet(fields: FieldsV1 | undefined): FieldSet {
  return fields === undefined ? emptySet : readBelow(fields, false)
}

function readBelow(fields: Readonly<Record<string, unknown>>, isLeafMember: boolean): FieldSet {
  const below = new Map<string, FieldSet>()
  let isMember = false
  for (const [step, value] of Object.entries(fields)) {
    if (step === '.') isMember = true
    else if (typeof value === 'object' && value !== null) {
      below.set(canonicalStep(step), readBelow(value as Readonly<Record<string, unknown>>, true))
    }
  }
  return { isMember: isMember || (isLeafMember && below.size === 0), below }
}

/** Others may write the members of a key in another order. */
function canonicalStep(step: string): string {
  if (!step.startsWith('k:')) return step
  try {
    return keyStep(JSON.parse(step.slice(2)) as Readonly<Record<string, unknown>>)
  } catch {
    return step
  }
}

/** The step to an item of a list that tells its items apart by keys. */
export function keyStep(keys: Readonly<Record<string, unknown>>): string {
  const sorted = Object.keys(keys).sort()
  return `k:{${sorted.map((key) => `${JSON.stringify(key)}:${JSON.stringify(keys[key])}`).join(',')}}`
}

/** Writes `fieldsV1`, steps in a stable order. */
export function writeFieldSet(set: FieldSet): FieldsV1 {
  const fields: Record<string, unknown> = {}
  for (const step of [...set.below.keys()].sort()) {
    const below = set.below.get(step) as FieldSet
    const written = writeFieldSet(below)
    fields[step] = below.isMember && below.below.size > 0 ? { '.': {}, ...written } : written
  }
  return fields
}

/** Paths that are in either set. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a)) return b
  if (isEmptySet(b)) return a
  const below = new Map(a.below)
  for (const [step, set] of b.below) below.set(step, union(below.get(step) ?? emptySet, set))
  return { isMember: a.isMember || b.isMember, below }
}

/** Paths of `a` that are not in `b`. What `b` does not touch is shared with `a`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return reduced(a, b, a.isMember && !b.isMember, difference)
}

/** Paths of `a` that neither are in `b` nor lie below a path of `b`. What `b` does not touch is shared with `a`. */
export function withoutSubtrees(a: FieldSet, b: FieldSet): FieldSet {
  return b.isMember ? emptySet : reduced(a, b, a.isMember, withoutSubtrees)
}

function reduced(
  a: FieldSet,
  b: FieldSet,
  isMember: boolean,
  reduce: (a: FieldSet, b: FieldSet) => FieldSet,
): FieldSet {
  let below: Map<string, FieldSet> | undefined
  for (const [step, other] of b.below) {
    const set = a.below.get(step)
    if (!set) continue
    const rest = reduce(set, other)
    if (rest === set) continue
    below ??= new Map(a.below)
    if (isEmptySet(rest)) below.delete(step)
    else below.set(step, rest)
  }
  return below === undefined && isMember === a.isMember ? a : { isMember, below: below ?? a.below }
}

/** Paths that are in both sets. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const below = new Map<string, FieldSet>()
  for (const [step, set] of a.below) {
    const other = b.below.get(step)
    const common = other ? intersection(set, other) : emptySet
    if (!isEmptySet(common)) below.set(step, common)
  }
  return { isMember: a.isMember && b.isMember, below }
}

/** Whether written fields have any path in common with the set: cheaper than reading them all. */
export function overlaps(fields: FieldsV1, set: FieldSet): boolean {
  for (const [step, other] of set.below) {
    const below = Object.hasOwn(fields, step) ? (fields[step] as FieldsV1) : undefined
    if (below === undefined) continue
    if (other.isMember && ('.' in below || Object.keys(below).length === 0)) return true
    if (overlaps(below, other)) return true
  }
  return false
}

/** Every path of the set, parents before children. */
export function pathsOf(set: FieldSet, prefix: readonly string[] = []): (readonly string[])[] {
  const own = set.isMember ? [prefix] : []
  const steps = [...set.below.keys()].sort()
  return [...own, ...steps.flatMap((step) => pathsOf(set.below.get(step) as FieldSet, [...prefix, step]))]
}

/** A path as messages show it: `.spec.containers[name="c"].image`. */
export function pathText(path: readonly string[]): string {
  return path.map(stepText).join('')
}

function stepText(step: string): string {
  const text = step.slice(2)
  if (step.startsWith('f:')) return `.${text}`
  if (step.startsWith('v:')) return `[=${text}]`
  if (!step.startsWith('k:')) return `[${text}]`
  const keys = JSON.parse(text) as Readonly<Record<string, unknown>>
  return `[${Object.entries(keys)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(',')}]`
}
