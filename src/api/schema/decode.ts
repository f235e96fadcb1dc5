import { badRequest, type StatusError } from '../meta/status.ts'
import { decoderOf, type DecodeState } from './decoder.ts'
import { diagnose, maxProblems } from './diagnose.ts'
import { countMembers, explainSyntaxError, findDuplicates } from './json-scanner.ts'
import type { ObjectNode, SchemaNode } from './node.ts'

/** A value does not fit its type, or a text is no JSON. The message is what follows `cannot be handled as a X: `. */
export class DecodeError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DecodeError'
  }
}

export interface Decoded<T = Record<string, unknown>> {
  /** A draft that nobody else holds: canonical scalars, no nulls, no unknown fields, no empty optional collections. */
  readonly object: T
  /** `unknown field "spec.foo"`, `duplicate field "data.k"`; at most a hundred. */
  readonly problems: readonly string[]
}

/** How to treat fields that the schema does not know, and repeated ones. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

/** Reads JSON text. Throws `DecodeError`. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new DecodeError(explainSyntaxError(text))
  }
}

/** Reads a JSON text as a value of the type. Problems are not looked for when they are to be ignored. */
export function decodeText<T = Record<string, unknown>>(
  node: SchemaNode,
  text: string,
  fieldValidation: FieldValidation = 'Ignore',
): Decoded<T> {
  const state = newState(false)
  const object = decoded<T>(node, parseJson(text), state, () => JSON.parse(text))
  if (fieldValidation === 'Ignore') return { object, problems: [] }
  const unknown = state.unknownCount > 0 ? unknownProblems(node, JSON.parse(text)) : []
  const repeats = countMembers(text) > state.memberCount ? duplicateProblems(text) : []
  return { object, problems: [...repeats, ...unknown].slice(0, maxProblems) }
}

/** Reads an already parsed value as one of the type. The value itself is left as it is; zeros that say nothing go. */
export function decodeValue<T = Record<string, unknown>>(
  node: SchemaNode,
  value: unknown,
  zeros: 'drop' | 'keep' = 'drop',
): Decoded<T> {
  const state = newState(true, zeros === 'keep')
  const object = decoded<T>(node, value, state, () => value)
  return { object, problems: state.unknownCount > 0 ? unknownProblems(node, value) : [] }
}

function newState(copy: boolean, keepZeros = false): DecodeState {
  return { copy, memberCount: 0, unknownCount: 0, depth: 0, keepZeros }
}

function decoded<T>(node: SchemaNode, value: unknown, state: DecodeState, untouched: () => unknown): T {
  try {
    return decoderOf(node)(value, state) as T
  } catch (error) {
    if (error instanceof TypeError) throw error
    throw new DecodeError(diagnose(node, untouched()).error ?? (error as Error).message)
  }
}

function unknownProblems(node: SchemaNode, value: unknown): string[] {
  return diagnose(node, value).unknownFields.map((path) => `unknown field "${path}"`)
}

function duplicateProblems(text: string): string[] {
  return findDuplicates(text, maxProblems).map((path) => `duplicate field "${path}"`)
}

/** What a request's body is read as. */
export interface DecodeTarget {
  readonly kind: string
  /** Without the group, as the message names it. */
  readonly version: string
  readonly node: ObjectNode
}

export interface DecodedBody<T = Record<string, unknown>> {
  readonly object: T
  /** For `Warning` headers, when problems are to be warned of. */
  readonly warnings: readonly string[]
}

/**
 * Reads a request's body, JSON text or a parsed value, and settles its problems as `fieldValidation` asks. Throws a
 * `BadRequest` StatusError in the words of the API server. `moreProblems` are those found before, such as by YAML.
 */
export function decodeBody<T = Record<string, unknown>>(
  target: DecodeTarget,
  body: string | object,
  fieldValidation: FieldValidation,
  moreProblems: readonly string[] = [],
): DecodedBody<T> {
  try {
    const { object, problems } =
      typeof body === 'string' ? decodeText<T>(target.node, body, fieldValidation) : decodeValue<T>(target.node, body)
    const all = fieldValidation === 'Ignore' ? [] : [...moreProblems, ...problems]
    if (fieldValidation === 'Strict' && all.length > 0)
      throw new DecodeError(`strict decoding error: ${all.join(', ')}`)
    return { object, warnings: all }
  } catch (error) {
    throw error instanceof DecodeError ? cannotBeHandled(target, error.message) : error
  }
}

/** 400 for a body that is no object of its kind. */
export function cannotBeHandled(target: Pick<DecodeTarget, 'kind' | 'version'>, why: string): StatusError {
  return badRequest(`${target.kind} in version "${target.version}" cannot be handled as a ${target.kind}: ${why}`)
}
