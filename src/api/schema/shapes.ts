import type { FeatureName } from '../features.ts'

/** The form of the facts in `types.json`, `resources.json` and `columns.json` (Kubernetes v1.36.2). */

/** One field of a type, or the element of an array or map. Exactly one of `type`, `ref`, `array`, `map` is set. */
export interface SchemaField {
  readonly type?: string
  readonly format?: string
  readonly ref?: string
  readonly array?: SchemaField
  readonly map?: SchemaField
  readonly required?: boolean
  readonly default?: unknown
  readonly enum?: readonly string[]
  readonly listType?: 'atomic' | 'map' | 'set'
  readonly listMapKeys?: readonly string[]
  readonly mapType?: 'atomic' | 'granular'
  readonly patchStrategy?: string
  readonly patchMergeKey?: string
  /** Protobuf field number and wire type; absent where the field is not on the wire. */
  readonly number?: number
  readonly wire?: string
}

/** One served type. A type without `fields` is a scalar, told apart by `type`, `oneOf` and `format`. */
export interface SchemaType {
  readonly proto: string
  /** `group/version/Kind` or, for the core group, `version/Kind`. */
  readonly gvk?: readonly string[]
  readonly fields?: Readonly<Record<string, SchemaField>>
  readonly type?: string
  readonly oneOf?: readonly string[]
  readonly format?: string
  readonly mapType?: 'atomic' | 'granular'
  readonly unions?: readonly unknown[]
  readonly wireOther?: Readonly<Record<string, readonly [number, string]>>
}

/** One row of `resources.json`; a subresource has a `/` in its name and may answer with a kind of another group. */
export interface ResourceRow {
  readonly groupVersion: string
  readonly name: string
  readonly singularName: string
  readonly namespaced: boolean
  readonly kind: string
  readonly verbs: readonly string[]
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly group?: string
  readonly version?: string
}

/** A resource that is off until an administrator asks for its API, and whose feature must be on too. */
export interface OptionalResourceRow extends ResourceRow {
  readonly featureGate: FeatureName
}

/** One printed column, as `kubectl get` shows it; `priority` above 0 is shown with `-o wide` only. */
export interface ColumnRow {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly priority: number
  readonly description?: string
}
