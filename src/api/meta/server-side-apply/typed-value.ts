import type { ListNode, MapNode, ObjectNode, SchemaNode } from '../../schema/node.ts'
import { isPlainObject, setOwn } from '../../schema/own-member.ts'
import { isSameJson } from '../merge-patch.ts'
import { emptySet, FieldSetBuilder, isEmptySet, leaf, withoutSubtrees, type FieldSet } from './field-set.ts'
import { itemsOf, type ListItem } from './typed-list.ts'
import {
  freeForm,
  isAbsent,
  isAtomic,
  isEmptyOrAbsent,
  memberNode,
  nodeFor,
  ownMember,
  type JsonObject,
} from './typed-node.ts'

/** What can be done with values whose lists, maps and structs the schema calls atomic or not. */

/** The fields that an applied configuration claims. */
export function fieldSetOf(node: SchemaNode, value: unknown): FieldSet {
  const builder = new FieldSetBuilder()
  claim(node, value, [], builder)
  return builder.build()
}

function claim(type: SchemaNode | undefined, value: unknown, path: readonly string[], claimed: FieldSetBuilder): void {
  const node = nodeFor(type, value)
  if (isAtomic(node) || (isAbsent(value) && type?.custom !== undefined)) return claimed.insert(path)
  if (node?.shape === 'list') return claimItems(itemsOf(node, value as unknown[]), node.item, path, claimed)
  for (const [key, member] of Object.entries(value as JsonObject)) {
    if (member === undefined) continue
    const memberPath = [...path, `f:${key}`]
    claim(memberNode(node, key), member, memberPath, claimed)
    const isEmpty = isPlainObject(member) && Object.keys(member).length === 0
    if (isEmpty || node?.shape === 'map') claimed.insert(memberPath)
  }
}

function claimItems(
  items: readonly ListItem[],
  node: SchemaNode,
  path: readonly string[],
  claimed: FieldSetBuilder,
): void {
  for (const { step, value } of items) {
    const itemPath = [...path, step]
    claimed.insert(itemPath)
    claim(node, value, itemPath, claimed)
  }
}

export interface Comparison {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

/**
 * Which fields differ between two values of a type. A parent that appears or goes is itself such a field. Fields at or
 * below a path of `ignored` are not looked at.
 */
export function compareValues(node: SchemaNode, before: unknown, after: unknown, ignored: FieldSet): Comparison {
  const { added = emptySet, modified = emptySet, removed = emptySet } = compare(node, before, after, ignored) ?? {}
  return { added, modified, removed }
}

/** What differs at and below one place; undefined where nothing does. */
type Change = Partial<Comparison> | undefined

function compare(type: SchemaNode | undefined, before: unknown, after: unknown, ignored: FieldSet): Change {
  const node = type?.custom === undefined ? type : nodeFor(type, before, after)
  if (before === after || ignored.isMember) return undefined
  if (before === undefined) return { added: withoutSubtrees(allOf(node, after), ignored) }
  if (after === undefined) return { removed: withoutSubtrees(allOf(node, before), ignored) }
  if (isAtomic(node) || (isEmptyOrAbsent(before) && isEmptyOrAbsent(after))) {
    return isSameJson(before, after) ? undefined : { modified: leaf }
  }
  // Structs are walked once; a list is worth a look before its items are told apart.
  if (node?.shape === 'list' && isSameJson(before, after)) return undefined
  if (node?.shape === 'list') return compareLists(node, before as unknown[] | null, after as unknown[] | null)
  return compareMembers(
    node as ObjectNode | MapNode,
    (before ?? {}) as JsonObject,
    (after ?? {}) as JsonObject,
    ignored,
  )
}

function compareLists(node: ListNode, before: readonly unknown[] | null, after: readonly unknown[] | null): Change {
  const old = byStep(itemsOf(node, before ?? []))
  const now = byStep(itemsOf(node, after ?? []))
  const changes = new ChangeCollector()
  for (const [step, item] of now) changes.add(step, compare(node.item, old.get(step), item, emptySet))
  for (const [step, item] of old) if (!now.has(step)) changes.add(step, compare(node.item, item, undefined, emptySet))
  return changes.result()
}

function compareMembers(node: ObjectNode | MapNode, before: JsonObject, after: JsonObject, ignored: FieldSet): Change {
  const changes = new ChangeCollector()
  const compareMember = (key: string): void => {
    const step = `f:${key}`
    const skipped = ignored.below.get(step) ?? emptySet
    changes.add(step, compare(memberNode(node, key), ownMember(before, key), ownMember(after, key), skipped))
  }
  for (const key of Object.keys(after)) compareMember(key)
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) compareMember(key)
  return changes.result()
}

/** Puts the changes of members together to the change of what holds them. */
class ChangeCollector {
  #added: Map<string, FieldSet> | undefined
  #modified: Map<string, FieldSet> | undefined
  #removed: Map<string, FieldSet> | undefined

  add(step: string, change: Change): void {
    if (change?.added && !isEmptySet(change.added)) (this.#added ??= new Map()).set(step, change.added)
    if (change?.modified) (this.#modified ??= new Map()).set(step, change.modified)
    if (change?.removed && !isEmptySet(change.removed)) (this.#removed ??= new Map()).set(step, change.removed)
  }

  result(): Change {
    if (!this.#added && !this.#modified && !this.#removed) return undefined
    return {
      ...(this.#added && { added: { isMember: false, below: this.#added } }),
      ...(this.#modified && { modified: { isMember: false, below: this.#modified } }),
      ...(this.#removed && { removed: { isMember: false, below: this.#removed } }),
    }
  }
}

/** Every field of a value that is new or gone, its parents included. */
function allOf(type: SchemaNode | undefined, value: unknown): FieldSet {
  const node = nodeFor(type, value)
  if (isAtomic(node) || isEmptyOrAbsent(value)) return leaf
  const below = new Map<string, FieldSet>()
  if (node?.shape === 'list') {
    for (const item of itemsOf(node, value as unknown[])) below.set(item.step, allOf(node.item, item.value))
    return { isMember: true, below }
  }
  for (const [key, member] of Object.entries(value as JsonObject)) {
    if (member !== undefined) below.set(`f:${key}`, allOf(memberNode(node, key), member))
  }
  return { isMember: true, below }
}

function byStep(items: readonly ListItem[]): Map<string, unknown> {
  return new Map(items.map(({ step, value }) => [step, value]))
}

/** The live value with the applied one merged in: what is applied wins, what is not mentioned stays. Shares both. */
export function mergeValues(type: SchemaNode | undefined, live: unknown, applied: unknown): unknown {
  const node = nodeFor(type, live, applied)
  if (isAbsent(live) || isAtomic(node) || isAbsent(applied)) return applied
  if (node?.shape === 'list') {
    return mergeItems(node.item, itemsOf(node, live as unknown[]), itemsOf(node, applied as unknown[]))
  }
  const result: Record<string, unknown> = { ...(live as JsonObject) }
  for (const [key, value] of Object.entries(applied as JsonObject)) {
    if (value === undefined) continue
    setOwn(result, key, mergeValues(memberNode(node, key), ownMember(live as JsonObject, key), value))
  }
  return result
}

/**
 * Applied items keep their order; an item that only the live list has keeps its place before what follows it there.
 *
 * Example: live [a, x, b], applied [b, a] becomes [b, a, x]; live [a, b], applied [c] becomes [a, b, c].
 */
function mergeItems(node: SchemaNode, live: readonly ListItem[], applied: readonly ListItem[]): unknown[] {
  const liveByStep = byStep(live)
  const appliedSteps = new Set(applied.map(({ step }) => step))
  const merged = new Set<string>()
  const result: unknown[] = []
  let next = 0
  for (const { step, value } of applied) {
    for (let item = live[next]; item && item.step !== step; item = live[++next]) {
      if (!appliedSteps.has(item.step)) result.push(item.value)
      else if (!merged.has(item.step)) break
    }
    if (live[next]?.step === step) next++
    result.push(mergeValues(node, liveByStep.get(step), value))
    merged.add(step)
  }
  const rest = live.slice(next).filter(({ step }) => !appliedSteps.has(step))
  return [...result, ...rest.map(({ value }) => value)]
}

/** The value without the fields and items of the set. Parents stay, even when nothing is left in them. */
export function removeFields(type: SchemaNode | undefined, value: unknown, set: FieldSet): unknown {
  const node = nodeFor(type, value)
  if (set.below.size === 0 || isAbsent(value) || isAtomic(node)) return value
  if (node?.shape === 'list') {
    const kept = itemsOf(node, value as unknown[]).filter(({ step }) => set.below.get(step)?.isMember !== true)
    return kept.map((item) => removeBelow(node.item, item.value, set.below.get(item.step)))
  }
  const result: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(value as JsonObject)) {
    const below = set.below.get(`f:${key}`)
    if (below?.isMember === true) continue
    setOwn(result, key, removeBelow(memberNode(node, key), member, below))
  }
  return result
}

function removeBelow(node: SchemaNode | undefined, value: unknown, set: FieldSet | undefined): unknown {
  return set ? removeFields(node, value, set) : value
}

/** The set with every struct field on the way to a member added: owning `.spec.replicas` is having a say in `.spec`. */
export function withNamedParents(node: SchemaNode | undefined, set: FieldSet): FieldSet {
  const below = new Map<string, FieldSet>()
  for (const [step, child] of set.below) {
    const childNode = nodeAt(node, step)
    const widened = withNamedParents(childNode, child)
    const isNamed = node?.shape === 'object' && child.below.size > 0 && childNode !== undefined
    below.set(step, isNamed ? { ...widened, isMember: true } : widened)
  }
  return { isMember: set.isMember, below }
}

function nodeAt(node: SchemaNode | undefined, step: string): SchemaNode | undefined {
  if (node?.shape === 'raw' && node.custom !== undefined) return freeForm
  if (node?.shape === 'list') return node.item
  return node?.shape === 'object' || node?.shape === 'map' ? memberNode(node, step.slice(2)) : undefined
}
