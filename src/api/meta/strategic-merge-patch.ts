import type { FieldNode, SchemaNode } from '../schema/node.ts'
import { isPlainObject, setOwn } from '../schema/own-member.ts'
import { isSameJson } from './merge-patch.ts'
import { badRequest, StatusError } from './status.ts'
import { arrange } from './patch-order.ts'
import { goText } from './go-text.ts'

/**
 * Strategic merge patch, as the API reference describes it: lists are merged by the keys that the schema declares, and
 * `$patch`, `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…` direct the merge. Nothing that comes in is
 * changed; what the patch does not touch is shared with the result.
 */
export function applyStrategicMergePatch(node: SchemaNode, original: object, patch: unknown): Record<string, unknown> {
  if (!isPlainObject(patch))
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${jsonType(patch)} into Go value of type map[string]interface {}`,
    )
  return mergeObject(node, original as JsonObject, patch)
}

type JsonObject = Readonly<Record<string, unknown>>

const orderPrefix = '$setElementOrder/'
const deletePrefix = '$deleteFromPrimitiveList/'

function mergeObject(node: SchemaNode | undefined, original: JsonObject, patch: JsonObject): Record<string, unknown> {
  if (Object.hasOwn(patch, '$patch')) return replaceOrDelete(patch)
  const result = retained(original, patch)
  for (const key of Object.keys(patch)) {
    if (key === '$retainKeys') continue
    if (key.startsWith(orderPrefix)) mergeOrderedList(node, result, patch, key.slice(orderPrefix.length))
    else if (key.startsWith(deletePrefix)) deletePrimitives(result, key.slice(deletePrefix.length), patch[key])
    else if (!Object.hasOwn(patch, orderPrefix + key)) mergeMember(node, result, key, patch[key])
  }
  return result
}

/** `$patch: replace` takes the rest of the patch for the whole object, `$patch: delete` empties it. */
function replaceOrDelete(patch: JsonObject): Record<string, unknown> {
  const { $patch: directive, ...rest } = patch
  if (directive === 'replace') return rest
  if (directive === 'delete') return {}
  throw unknownDirective(directive, patch)
}

/** A copy of the original, reduced to what `$retainKeys` lists if the patch has it. */
function retained(original: JsonObject, patch: JsonObject): Record<string, unknown> {
  const keys = patch['$retainKeys']
  if (keys === undefined) return { ...original }
  if (!Array.isArray(keys)) throw badRequest('invalid patch format of retainKeys')
  const kept = new Set<unknown>(keys)
  for (const [key, value] of Object.entries(patch)) {
    if (value !== null && !key.startsWith('$') && !kept.has(key)) throw badRequest('invalid patch format of retainKeys')
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => kept.has(key)))
}

function mergeMember(node: SchemaNode | undefined, result: Record<string, unknown>, key: string, value: unknown): void {
  const old = Object.hasOwn(result, key) ? result[key] : undefined
  if (value === null) delete result[key]
  else if (isPlainObject(value) && isPlainObject(old)) setOwn(result, key, mergeStruct(node, key, old, value))
  else if (Array.isArray(value) && Array.isArray(old)) setOwn(result, key, mergeList(fieldOf(node, key), old, value))
  else if (!hasPatchDirective(value)) setOwn(result, key, withoutDirectives(value))
}

function mergeStruct(node: SchemaNode | undefined, key: string, old: JsonObject, value: JsonObject): unknown {
  const replaces = fieldOf(node, key)?.patchStrategy.split(',').includes('replace') === true
  return replaces ? withoutDirectives(value) : mergeObject(nodeBelow(node, key), old, value)
}

function fieldOf(node: SchemaNode | undefined, key: string): FieldNode | undefined {
  return node?.shape === 'object' ? node.fields.get(key) : undefined
}

function nodeBelow(node: SchemaNode | undefined, key: string): SchemaNode | undefined {
  return node?.shape === 'map' ? node.value : fieldOf(node, key)?.node
}

function merges(field: FieldNode | undefined): boolean {
  return field?.patchStrategy.split(',').includes('merge') === true
}

function mergeList(field: FieldNode | undefined, old: readonly unknown[], patch: readonly unknown[]): unknown[] {
  if (!merges(field)) return withoutDirectives(patch) as unknown[]
  const merged = mergeItems(field as FieldNode, old, patch)
  return arrange(merged, patch, old, field?.patchMergeKey)
}

function mergeItems(field: FieldNode, old: readonly unknown[], patch: readonly unknown[]): unknown[] {
  if ([...old, ...patch].some(Array.isArray)) throw failure('lists of lists are not supported')
  if (!patch.some(isPlainObject) && !old.some(isPlainObject)) return [...new Set([...old, ...patch])]
  const mergeKey = field.patchMergeKey
  if (mergeKey === undefined) throw failure(`cannot merge lists without merge key for ${field.name}`)
  const { kept, changes, replaces } = obeyItemDirectives(mergeKey, old, patch)
  if (replaces) return changes
  const merged = [...kept]
  const itemNode = field.node.shape === 'list' ? field.node.item : undefined
  for (const item of changes) mergeItem(itemNode, mergeKey, merged, item)
  return merged
}

interface ItemChanges {
  readonly kept: readonly unknown[]
  readonly changes: JsonObject[]
  readonly replaces: boolean
}

/** Takes out the items of the patch that only direct: `{$patch: replace}` and `{name: x, $patch: delete}`. */
function obeyItemDirectives(mergeKey: string, old: readonly unknown[], patch: readonly unknown[]): ItemChanges {
  let kept = old
  let replaces = false
  const changes: JsonObject[] = []
  for (const item of patch) {
    if (!isPlainObject(item)) throw failure(`expected a map, but received a ${jsonType(item)}`)
    const directive = item['$patch']
    if (directive === undefined) changes.push(item)
    else if (directive === 'replace') replaces = true
    else if (directive === 'delete') kept = without(kept, mergeKey, mergeValueOf(item, mergeKey))
    else if (directive === 'merge') throw failure('merging lists cannot yet be specified in the patch')
    else throw unknownDirective(directive, item)
  }
  return { kept, changes, replaces }
}

function without(items: readonly unknown[], mergeKey: string, value: unknown): unknown[] {
  return items.filter((item) => !isSameJson((item as JsonObject)[mergeKey], value))
}

function mergeItem(node: SchemaNode | undefined, mergeKey: string, merged: unknown[], item: JsonObject): void {
  const value = mergeValueOf(item, mergeKey)
  const index = merged.findIndex((each) => isSameJson((each as JsonObject)[mergeKey], value))
  if (index < 0) merged.push(withoutDirectives(item))
  else merged[index] = mergeObject(node, merged[index] as JsonObject, item)
}

function mergeValueOf(item: JsonObject, mergeKey: string): unknown {
  const value = item[mergeKey]
  if (value === undefined) throw failure(`map: ${goText(item)} does not contain declared merge key: ${mergeKey}`)
  return value
}

/** Merges a list together with the order that `$setElementOrder/<key>` asks for. */
function mergeOrderedList(
  node: SchemaNode | undefined,
  result: Record<string, unknown>,
  patch: JsonObject,
  key: string,
): void {
  const order = patch[orderPrefix + key]
  const old = Object.hasOwn(result, key) ? result[key] : undefined
  const changes = patch[key]
  if (changes === null) return void delete result[key]
  if (!Array.isArray(order)) throw badRequest('invalid patch format of setElementOrder list')
  if (!isListOrAbsent(old) || !isListOrAbsent(changes)) throw badRequest('invalid patch format of setElementOrder list')
  const field = fieldOf(node, key)
  requireMatchingOrder(changes ?? [], order, field?.patchMergeKey)
  if (old === undefined && changes === undefined) return
  const merged = changes === undefined ? (old ?? []) : mergeList(field, old ?? [], changes)
  setOwn(result, key, arrange(merged, order, old ?? [], field?.patchMergeKey))
}

function isListOrAbsent(value: unknown): value is readonly unknown[] | undefined {
  return value === undefined || Array.isArray(value)
}

/** Every item that the patch keeps must stand in the order list, in the same sequence. */
function requireMatchingOrder(
  patch: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string | undefined,
): void {
  if (patch.length === 0 || order.length === 0) return
  const kept = patch.filter((item) => !isPlainObject(item) || item['$patch'] !== 'delete')
  let next = 0
  for (const wanted of order) {
    if (next < kept.length && isSameItem(kept[next], wanted, mergeKey)) next++
  }
  if (next === kept.length) return
  throw failure(`The order in patch list:\n${goText(patch)}\n doesn't match $setElementOrder list:\n${goText(order)}\n`)
}

function isSameItem(a: unknown, b: unknown, mergeKey: string | undefined): boolean {
  if (mergeKey === undefined || !isPlainObject(a) || !isPlainObject(b)) return isSameJson(a, b)
  return isSameJson(a[mergeKey], b[mergeKey])
}

function deletePrimitives(result: Record<string, unknown>, key: string, values: unknown): void {
  if (!Array.isArray(values)) throw badRequest('invalid patch format of primitive list')
  const old = result[key]
  if (Array.isArray(old)) result[key] = old.filter((item) => !values.includes(item))
}

/** What a patch adds where nothing was: its directives and nulls, and the maps with `$patch`, have nothing to act on. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !hasPatchDirective(item)).map(withoutDirectives)
  if (!isPlainObject(value)) return value
  const result: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(value)) {
    if (member !== null && !isDirective(key) && !hasPatchDirective(member))
      setOwn(result, key, withoutDirectives(member))
  }
  return result
}

function hasPatchDirective(value: unknown): boolean {
  return isPlainObject(value) && value['$patch'] !== undefined
}

function isDirective(key: string): boolean {
  return key === '$patch' || key === '$retainKeys' || key.startsWith(orderPrefix) || key.startsWith(deletePrefix)
}

function unknownDirective(directive: unknown, patch: JsonObject): StatusError {
  return failure(`unknown patch type: ${goText(directive)} in map: ${goText(patch)}`)
}

/** Upstream answers most mistakes in a patch with 500 and no reason. */
function failure(message: string): StatusError {
  return new StatusError('', message, { code: 500 })
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}
