import type { FieldError } from '../../../meta/status.ts'
import type { Pod, PodSpec } from '../../../types/core.v1.ts'

/** How many specs are kept: the templates that a cluster makes pods from at the same time. */
const kept = 8

/** How new pods are judged: what is wrong with one, and what is unwise about its spec. */
export interface PodJudge {
  readonly validate: (pod: Pod) => FieldError[]
  readonly warn: (pod: Pod) => readonly string[]
}

interface Faultless {
  spec: PodSpec
  /** Known once somebody has asked. */
  isQuiet?: boolean
}

/**
 * Judges like `judge`, but finds a pod faultless at once whose spec says the same as that of one found faultless before:
 * pods come by the hundred from one template, and comparing costs a tenth of judging. Only pods count of which nothing
 * but the spec matters, and in which at most the name differs that the server itself has made up for the volume of the
 * token.
 */
export function rememberingFaultless(judge: PodJudge): PodJudge {
  const faultless: Faultless[] = []
  const putFirst = (entry: Faultless, position: number): void => {
    faultless.splice(position, 1)
    faultless.unshift(entry)
  }
  return {
    validate(pod) {
      const { spec } = pod
      if (!hasOnlySpec(pod)) return judge.validate(pod)
      const position = faultless.findIndex((known) => isSameButToken(known.spec, spec))
      const known = faultless[position]
      if (known !== undefined) {
        known.spec = spec
        putFirst(known, position)
        return []
      }
      const errors = judge.validate(pod)
      if (errors.length === 0) putFirst({ spec }, kept - 1)
      return errors
    },
    warn(pod) {
      const known = faultless.find(({ spec }) => spec === pod.spec)
      if (known?.isQuiet === true) return []
      const warnings = judge.warn(pod)
      if (known !== undefined) known.isQuiet = warnings.length === 0
      return warnings
    },
  }
}

/** Claims and annotations are judged together with the spec, and claims of its own carry the pod's name. */
function hasOnlySpec({ metadata, spec }: Pod): boolean {
  if (metadata.annotations !== undefined || spec.resourceClaims !== undefined) return false
  return spec.volumes?.every(({ ephemeral }) => ephemeral === undefined) ?? true
}

function isSameButToken(known: PodSpec, spec: PodSpec): boolean {
  return isSame(known, spec, { known: '', now: '' })
}

/** The one made-up name of each spec, once it has been met. */
interface MadeUpNames {
  known: string
  now: string
}

function isSame(known: unknown, now: unknown, names: MadeUpNames): boolean {
  if (known === now) return typeof now !== 'string' || !isMadeUp(now) || isSameName(now, now, names)
  if (typeof known === 'string' && typeof now === 'string') {
    return isMadeUp(known) && isMadeUp(now) && isSameName(known, now, names)
  }
  if (typeof known !== 'object' || typeof now !== 'object' || known === null || now === null) return false
  if (Array.isArray(known)) return Array.isArray(now) && isSameList(known, now, names)
  return !Array.isArray(now) && isSameObject(known as JsonObject, now as JsonObject, names)
}

type JsonObject = Readonly<Record<string, unknown>>

function isSameList(known: readonly unknown[], now: readonly unknown[], names: MadeUpNames): boolean {
  return known.length === now.length && known.every((item, index) => isSame(item, now[index], names))
}

/** Members come in the order of the schema: another order counts as another spec. */
function isSameObject(known: JsonObject, now: JsonObject, names: MadeUpNames): boolean {
  const keys = Object.keys(known)
  const others = Object.keys(now)
  if (keys.length !== others.length) return false
  return keys.every((key, index) => key === others[index] && isSame(known[key], now[key], names))
}

const madeUpPrefix = 'kube-api-access-'
const madeUpLength = madeUpPrefix.length + 5

function isMadeUp(name: string): boolean {
  return name.length === madeUpLength && name.startsWith(madeUpPrefix) && /^[a-z0-9]+$/.test(name.slice(-5))
}

/** All made-up names of one spec must be one name: then it matters as little to the rules as any other would. */
function isSameName(known: string, now: string, names: MadeUpNames): boolean {
  if (names.known === '') Object.assign(names, { known, now })
  return names.known === known && names.now === now
}
