import { CelError } from '#lib/cel/cel-error.ts'
import type { CelFunction, CelFunctions } from '#lib/cel/cel-function.ts'
import { CelOpaque, type CelValue } from '#lib/cel/values.ts'

const type = 'kubernetes.Semver'
const form =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*))*))?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?$/

interface Version {
  readonly numbers: readonly bigint[]
  readonly before: readonly string[]
}

/** Loosely: a `v` in front, missing parts and zeros in front are taken. */
function normalize(text: string): string {
  const [core = '', ...rest] = text.replace(/^v/, '').split(/(?=[-+])/)
  const parts = core.split('.').map((part) => part.replace(/^0+(?=\d)/, ''))
  while (parts.length < 3) parts.push('0')
  return parts.join('.') + rest.join('')
}

function read(text: CelValue | undefined, isLoose: boolean): Version | undefined {
  if (typeof text !== 'string') return undefined
  const found = form.exec(isLoose ? normalize(text) : text)
  if (found === null) return undefined
  return { numbers: found.slice(1, 4).map((part) => BigInt(part)), before: found[4]?.split('.') ?? [] }
}

function versionOf(value: CelValue | undefined): Version {
  if (value instanceof CelOpaque && value.type === type) return value.data as Version
  throw new CelError('no such overload')
}

function compare(a: Version, b: Version): number {
  for (const [at, number] of a.numbers.entries()) {
    const other = b.numbers[at] ?? 0n
    if (number !== other) return number < other ? -1 : 1
  }
  if (a.before.length === 0 || b.before.length === 0) return Math.sign(b.before.length - a.before.length)
  for (let at = 0; at < Math.max(a.before.length, b.before.length); at++) {
    const order = compareIdentifiers(a.before[at], b.before[at])
    if (order !== 0) return order
  }
  return 0
}

function compareIdentifiers(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1
  const [isNumber, isOtherNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (isNumber && isOtherNumber) return Number(a) < Number(b) ? -1 : 1
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1
  return a < b ? -1 : 1
}

const compares =
  (holds: (order: number) => boolean): CelFunction =>
  ([a, b]) =>
    holds(compare(versionOf(a), versionOf(b)))

/** `semver("1.2.3").isLessThan(semver("2.0.0"))` (semver.org, version 2). */
export const versionFunctions: CelFunctions = {
  semver: ([text, isLoose]) => {
    const version = read(text, isLoose === true)
    if (version === undefined) throw new CelError('Invalid Semantic Version')
    return new CelOpaque(type, version, (other) => compare(version, other as Version) === 0)
  },
  isSemver: ([text, isLoose]) => read(text, isLoose === true) !== undefined,
  major: ([value]) => versionOf(value).numbers[0] ?? 0n,
  minor: ([value]) => versionOf(value).numbers[1] ?? 0n,
  patch: ([value]) => versionOf(value).numbers[2] ?? 0n,
  isGreaterThan: compares((order) => order > 0),
  isLessThan: compares((order) => order < 0),
  compareTo: ([a, b]) => BigInt(compare(versionOf(a), versionOf(b))),
}
