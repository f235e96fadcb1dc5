import { decodeValue } from '../../schema/decode.ts'
import type { ObjectNode } from '../../schema/node.ts'
import { isPlainObject } from '../../schema/own-member.ts'
import { difference, emptySet, type FieldSet, union } from './field-set.ts'
import { compareValues, fieldSetOf } from './typed-value.ts'

/** Where client-side apply keeps what it applied. */
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

/** The one manager that takes over from client-side apply, and keeps its annotation true. */
export const clientSideSuccessor = 'kubectl'

interface Annotated {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> }
}

/**
 * The fields of a live object that client-side apply gave the value they still have: the same user's server-side apply may
 * take those without a conflict. None if the annotation is absent, unreadable, or of another version.
 */
export function lastAppliedFields(node: ObjectNode, live: object, apiVersion: string): FieldSet {
  const config = parsed((live as Annotated).metadata?.annotations?.[lastAppliedAnnotation])
  if (config === undefined || config['apiVersion'] !== apiVersion) return emptySet
  const applied = readOrNothing(node, config)
  if (applied === undefined) return emptySet
  const { added, modified, removed } = compareValues(node, applied, live, emptySet)
  return difference(fieldSetOf(node, applied), union(union(added, modified), removed))
}

function parsed(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined || text === '') return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isPlainObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function readOrNothing(node: ObjectNode, config: object): object | undefined {
  try {
    return decodeValue(node, config, 'keep').object
  } catch {
    return undefined
  }
}

/** The annotation's text for a configuration applied now: its members sorted, itself left out, a line. */
export function lastAppliedText(config: object): string {
  const { metadata, ...rest } = config as Readonly<Record<string, unknown>>
  const {
    managedFields: _managedFields,
    annotations,
    ...others
  } = (metadata ?? {}) as Readonly<Record<string, unknown>>
  const { [lastAppliedAnnotation]: _last, ...kept } = (annotations ?? {}) as Readonly<Record<string, unknown>>
  const stripped = { ...others, ...(Object.keys(kept).length > 0 && { annotations: kept }) }
  return `${JSON.stringify(sorted({ ...rest, metadata: stripped }))}\n`
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isPlainObject(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  )
}
