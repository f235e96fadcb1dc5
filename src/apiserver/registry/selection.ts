import type { KubernetesObject } from '#api/meta/resource.ts'
import { badRequest } from '#api/meta/status.ts'
import { parseFieldSelector, parseLabelSelector } from '#api/meta/selectors.ts'
import { served } from './read.ts'
import type { ServedResource } from './served-resource.ts'

/** Which objects of a collection a request is about. */
export interface Selection {
  /** Whether it selects all, so that counts of the collection hold for it. */
  readonly isEverything: boolean
  /** Takes objects in their stored version. */
  readonly matches: (stored: KubernetesObject) => boolean
}

export interface SelectionQuery {
  readonly labelSelector: string
  readonly fieldSelector: string
  /** Only the object of this name; empty: any. */
  readonly name: string
}

/** Compiles the selectors of a request. Throws `BadRequest` for one that cannot be read or a field that is not selectable. */
export function compileSelection(resource: ServedResource, query: SelectionQuery): Selection {
  const tests: ((object: KubernetesObject) => boolean)[] = []
  if (query.name !== '') tests.push((object) => object.metadata.name === query.name)
  if (query.labelSelector !== '') {
    const matchesLabels = parseLabelSelector(query.labelSelector)
    tests.push((object) => matchesLabels(object.metadata.labels ?? noLabels))
  }
  if (query.fieldSelector !== '') tests.push(compileFields(resource, query))
  const [first, second] = tests
  if (first === undefined) return { isEverything: true, matches: () => true }
  if (second === undefined) return { isEverything: false, matches: first }
  return { isEverything: false, matches: (object) => tests.every((test) => test(object)) }
}

const noLabels: Readonly<Record<string, string>> = Object.freeze({})

function compileFields(resource: ServedResource, query: SelectionQuery): (object: KubernetesObject) => boolean {
  const requirements = parseFieldSelector(query.fieldSelector)
  for (const { field } of requirements) if (!isSelectable(resource, field)) throw unsupportedField(resource, query, field)
  const { selectableFields } = resource.rules
  return (stored) => {
    const fields = selectableFields?.(served(resource, stored))
    return requirements.every(({ field, operator, value }) => {
      const actual = ownField(stored, field) ?? fields?.[field] ?? ''
      return operator === '!=' ? actual !== value : actual === value
    })
  }
}

function ownField(object: KubernetesObject, field: string): string | undefined {
  if (field === 'metadata.name') return object.metadata.name
  return field === 'metadata.namespace' ? (object.metadata.namespace ?? '') : undefined
}

function isSelectable(resource: ServedResource, field: string): boolean {
  if (field === 'metadata.name' || (field === 'metadata.namespace' && resource.namespaced)) return true
  return resource.rules.selectableFieldNames?.includes(field) ?? false
}

function unsupportedField(resource: ServedResource, query: SelectionQuery, field: string): Error {
  const groupVersion = resource.group === '' ? `/${resource.version}` : `${resource.group}/${resource.version}`
  return badRequest(
    `Unable to find ${JSON.stringify(`${groupVersion}, Resource=${resource.plural}`)} that match label selector ` +
      `${JSON.stringify(query.labelSelector)}, field selector ${JSON.stringify(query.fieldSelector)}: ` +
      `field label not supported: ${field}`,
  )
}
