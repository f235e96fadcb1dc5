import { checkSelectable, parseFieldSelector, UnselectableFieldError, type FieldMatcher } from '#api/meta/fields.ts'
import { parseLabelSelector } from '#api/meta/labels.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { SelectorError } from '#api/meta/selector-error.ts'
import { badRequest } from '#api/meta/status.ts'
import type { Pin } from '../cache/watcher-set.ts'
import { pinOf } from './indexed-fields.ts'
import { served } from './read.ts'
import type { ServedResource } from './served-resource.ts'

/** Which objects of a collection a request is about. */
export interface Selection {
  /** Whether it selects all, so that counts of the collection hold for it. */
  readonly isEverything: boolean
  /** Takes objects in their stored version. */
  readonly matches: (stored: KubernetesObject) => boolean
  /** One value of a field that all selected objects have, to look at fewer of them. */
  readonly pin: Pin | undefined
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
  if (query.labelSelector !== '') tests.push(compileLabels(query.labelSelector))
  if (query.fieldSelector !== '') tests.push(compileFields(resource, query))
  const [first, second] = tests
  if (first === undefined) return { isEverything: true, matches: () => true, pin: undefined }
  const matches = second === undefined ? first : (object: KubernetesObject) => tests.every((test) => test(object))
  return { isEverything: false, matches, pin: pinOf(resource, query) }
}

function compileLabels(text: string): (object: KubernetesObject) => boolean {
  const matcher = readSelector(() => parseLabelSelector(text))
  return (object) => matcher.matches(object.metadata.labels)
}

function compileFields(resource: ServedResource, query: SelectionQuery): (object: KubernetesObject) => boolean {
  const matcher = readSelector(() => parseFieldSelector(query.fieldSelector))
  checkFields(resource, matcher)
  const { selectableFields } = resource.rules
  return (stored) => {
    const { name, namespace = '' } = stored.metadata
    const own = selectableFields?.(served(resource, stored))
    return matcher.matches({ ...own, 'metadata.name': name, 'metadata.namespace': namespace })
  }
}

/** A kind tells its selectable fields by the keys it gives for any object, even an empty one. */
function checkFields(resource: ServedResource, matcher: FieldMatcher): void {
  const { kind, rules } = resource
  const blank = { kind, apiVersion: '', metadata: { name: '' }, spec: {}, status: {} } as unknown as KubernetesObject
  try {
    checkSelectable(matcher, new Set(Object.keys(rules.selectableFields?.(blank) ?? {})))
  } catch (error) {
    if (!(error instanceof UnselectableFieldError)) throw error
    throw badRequest(unsupportedField(resource, error))
  }
}

function readSelector<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message)
    throw error
  }
}

/** Some kinds have words of their own for a field that cannot be selected by. */
function unsupportedField(
  { group, version, kind, custom }: ServedResource,
  { message, field }: UnselectableFieldError,
): string {
  if (custom !== undefined) return `field label not supported: ${field}`
  if (group === 'batch' && kind === 'Job') return `field label ${JSON.stringify(field)} not supported for batchv1.Job`
  if (kind === 'ResourceSlice') return `field label not supported for ${group}/${version}, Kind=${kind}: ${field}`
  return message
}
