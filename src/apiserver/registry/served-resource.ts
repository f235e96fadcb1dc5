import type { ScalePaths } from '#api/apiextensions/scale-paths.ts'
import type { Kind } from '#api/kind.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { MetadataRules } from '#api/meta/validate-metadata.ts'
import type { Subresource } from '#api/schema/catalog.ts'
import type { ObjectNode } from '#api/schema/node.ts'
import type { ColumnRow } from '#api/schema/shapes.ts'
import type { CustomResourceDefinition } from '#api/types/apiextensions.v1.ts'

/** One resource as one version of the API serves it: built in, or declared by a CustomResourceDefinition. */
export interface ServedResource extends Resource {
  readonly singular: string
  readonly verbs: ReadonlySet<string>
  readonly subresources: ReadonlyMap<string, Subresource>
  /** The type of its objects. */
  readonly node: ObjectNode
  readonly columns: readonly ColumnRow[]
  /** What the kind adds to its schema. */
  readonly rules: Kind
  /** Where its objects are kept; several versions of one resource share it. */
  readonly storage: StorageForm
  /** Present for resources that a CustomResourceDefinition declares: the few things that clients see differently. */
  readonly custom?: CustomTraits
}

export interface CustomTraits {
  readonly definition: CustomResourceDefinition
  readonly listKind: string
  /** What clients of a deprecated version are told. */
  readonly deprecation: string | undefined
  /** The definition is going away: nothing new is taken. */
  readonly isTerminating: boolean
  readonly scale: ScalePaths | undefined
}

export interface StorageForm {
  /** Key prefix with its closing slash. */
  readonly prefix: string
  /** Absent where objects are stored in the very version that is served. */
  readonly convert?: VersionConversion
}

/** Between the stored version of an object and the served one. Inputs may be frozen and are not changed. */
export interface VersionConversion {
  /**
   * Where others convert, the work is done here first, for all objects at once, and remembered for those very objects.
   * Undefined: nothing has to be waited for.
   */
  prepareServed?(stored: readonly KubernetesObject[]): Promise<void> | undefined
  prepareStored?(served: KubernetesObject): Promise<void> | undefined
  toServed(stored: KubernetesObject): KubernetesObject
  toStored(served: KubernetesObject): KubernetesObject
}

/** What metadata of the resource must obey. */
export function metadataRules({ namespaced, rules, custom }: ServedResource): MetadataRules {
  return {
    namespaced,
    builtIn: custom === undefined,
    ...(rules.nameRule !== undefined && { nameRule: rules.nameRule }),
  }
}

/** `/registry/core/pods/default/web`; the namespace is empty for cluster-scoped objects and left out. */
export function storageKey(resource: ServedResource, namespace: string, name: string): string {
  const { prefix } = resource.storage
  return resource.namespaced ? `${prefix}${namespace}/${name}` : prefix + name
}

/** What the keys of a collection start with; an empty namespace means all. */
export function collectionPrefix(resource: ServedResource, namespace: string): string {
  const { prefix } = resource.storage
  return resource.namespaced && namespace !== '' ? `${prefix}${namespace}/` : prefix
}

export function storagePrefix(group: string, plural: string): string {
  return `/registry/${group === '' ? 'core' : group}/${plural}/`
}
