import type { FieldError } from './meta/status.ts'
import type { KubernetesObject } from './meta/resource.ts'

/**
 * What a kind adds to its schema facts. One file per kind exports `defineKind({ … })`, listed in `api/kind-table.ts`. A kind
 * without a file is served all the same, by `genericKind` and the schema.
 *
 * Drafts are mutable copies that nobody else holds; every other object is frozen. All functions are pure; `now` comes
 * with the call where an answer depends on time.
 */
export interface Kind<T extends KubernetesObject = KubernetesObject> {
  readonly group: string
  readonly version: string
  readonly kind: T['kind']
  /** Fills defaults that the schema cannot express. Runs on each write after decoding, and must be idempotent. */
  readonly setDefaults?: (draft: Draft<T>) => void
  /** Before a create, with `uid` and `creationTimestamp` set: drop what the client may not set. Default: removes `status` if the kind has a status subresource. */
  readonly prepareForCreate?: (draft: Draft<T>) => void
  /** Before an update of the main resource: keep what it may not change. Default: `status` stays the old one. */
  readonly prepareForUpdate?: (draft: Draft<T>, old: T) => void
  /** Before an update of `/status`: default: everything but `status` and parts of the metadata stays the old one. */
  readonly prepareForStatusUpdate?: (draft: Draft<T>, old: T, now: string) => void
  /** Whether `metadata.generation` is kept: 1 at creation, +1 when `spec` changes. */
  readonly hasGeneration: boolean
  /** Errors in the order upstream gives them. Schema errors (types, unknown fields) are found before. */
  readonly validate?: (object: T) => FieldError[]
  /** Errors of the change; `validate` has run for `object` too. */
  readonly validateUpdate?: (object: T, old: T) => FieldError[]
  /** `validateUpdate` says all that is wrong with the new object; `validate` is for creates alone. */
  readonly validatesUpdateAlone?: boolean
  readonly validateStatusUpdate?: (object: T, old: T, nowMs: number) => FieldError[]
  /** Sentences for the `Warning` header of an accepted create (no `old`) or update. */
  readonly warnings?: (object: T, old?: T) => readonly string[]
  /** Which rule `metadata.name` obeys. Default `dnsSubdomain`. */
  readonly nameRule?: NameRule
  /** Cells of `kubectl get`, in the order of `columns.json`; default: name and age. `nowMs` is for age-like cells. */
  readonly cells?: (object: T, nowMs: number) => readonly unknown[]
  /** Field selectors beyond `metadata.name` and `metadata.namespace`: the value at each selectable field. */
  readonly selectableFields?: (object: T) => Readonly<Record<string, string>>
  /** DELETE answers with the object instead of a Status. */
  readonly deleteReturnsObject?: boolean
  /** Seconds of graceful deletion, given what the request asks for, if it does; absent: the object is removed at once. */
  readonly gracePeriodSeconds?: (object: T, requestedSeconds?: number) => number
  /** A PUT of an object that does not exist creates it. */
  readonly createOnUpdate?: boolean
  /** A PUT without `metadata.resourceVersion` is refused; other kinds take it as the latest. */
  readonly requiresResourceVersion?: boolean
}

export type NameRule = 'dnsSubdomain' | 'dnsLabel' | 'dns1035Label' | 'pathSegment'

/** A mutable copy, all the way down. */
export type Draft<T> = T extends readonly (infer Item)[]
  ? Draft<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Draft<T[Key]> }
    : T

/** Fixes the type of a declaration and forgets it, so that kinds of all objects fit one table. */
export function defineKind<T extends KubernetesObject>(kind: Kind<T>): Kind {
  return kind as unknown as Kind
}
