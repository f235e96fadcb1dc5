import { deepFreeze } from '#lib/deep-freeze.ts'
import { LruMap } from '#lib/lru-map.ts'
import type { ObjectNode, SchemaNode } from '../../schema/node.ts'
import type { FieldsV1 } from '../../types/meta.v1.ts'
import { isSameJson } from '../merge-patch.ts'
import { baselineOf, unownedFields } from './baseline.ts'
import { emptySet, type FieldSet } from './field-set.ts'
import { itemsOf } from './typed-list.ts'
import { isAtomic, isEmptyOrAbsent, memberNode, nodeFor, ownMember, type JsonObject } from './typed-node.ts'

/**
 * The fields that whoever creates an object owns, as they are written: what `compareValues` tells of it and the type's
 * baseline, without what belongs to nobody. Creates are the most frequent writes, so theirs are written in one walk
 * instead of being compared, reduced and sorted as sets. Undefined: none.
 *
 * Objects of one template have the same shape: they share what was written for the first, and the memory for it.
 */
export function createdFields(node: ObjectNode, object: object, ignored: FieldSet): FieldsV1 | undefined {
  if (node.custom !== undefined) return writtenFields(node, object, ignored)
  const written = writtenFor(node, ignored)
  const shape = shapeOf(node, object)
  const known = written.get(shape)
  if (known !== undefined) return known
  const fields = deepFreeze(writtenFields(node, object, ignored))
  if (fields !== undefined && shape.length <= longestShape) written.set(shape, fields)
  return fields
}

function writtenFields(node: ObjectNode, object: object, ignored: FieldSet): FieldsV1 | undefined {
  return changed(node, baselineOf(node), object, { ignored, unowned: unownedFields })
}

/** Fields written before, by the type, by what is ignored and by the shape. */
const writtenBefore = new WeakMap<ObjectNode, WeakMap<FieldSet, LruMap<string, FieldsV1>>>()
const shapesKept = 64
const longestShape = 8 * 1_024

function writtenFor(node: ObjectNode, ignored: FieldSet): LruMap<string, FieldsV1> {
  let byIgnored = writtenBefore.get(node)
  if (byIgnored === undefined) writtenBefore.set(node, (byIgnored = new WeakMap()))
  let written = byIgnored.get(ignored)
  if (written === undefined) byIgnored.set(ignored, (written = new LruMap(shapesKept)))
  return written
}

/**
 * All that the written fields depend on: which members there are, which items a list of keyed items has, and which values
 * are zero or empty, as the baseline's are.
 */
function shapeOf(node: SchemaNode | undefined, value: unknown): string {
  if (typeof value !== 'object') return value === 0 || value === '' || value === false ? 'z' : 'v'
  if (value === null) return 'n'
  if (isEmptyOrAbsent(value)) return 'e'
  if (isAtomic(node)) return 'v'
  let shape = '{'
  if (node?.shape === 'list') {
    for (const { step, value: item } of itemsOf(node, value as unknown[])) {
      shape += `${step.length} ${step}${shapeOf(node.item, item)}`
    }
  } else {
    for (const key in value) {
      const member = (value as JsonObject)[key]
      if (member !== undefined) shape += `${key.length} ${key}${shapeOf(memberNode(node, key), member)}`
    }
  }
  return `${shape}}`
}

/** What is left out at and below one place: `ignored` paths with all below them, `unowned` ones just by themselves. */
interface Except {
  readonly ignored: FieldSet
  readonly unowned: FieldSet
}

type Written = Record<string, unknown> | undefined

const itself: Record<string, unknown> = Object.freeze({})
const nowhere: Except = { ignored: emptySet, unowned: emptySet }

function below({ ignored, unowned }: Except, step: string): Except {
  if (ignored.below.size === 0 && unowned.below.size === 0) return nowhere
  return { ignored: ignored.below.get(step) ?? emptySet, unowned: unowned.below.get(step) ?? emptySet }
}

/** What of `after` is new or other than `before`. */
function changed(type: SchemaNode | undefined, before: unknown, after: unknown, except: Except): Written {
  if (before === after || after === undefined || except.ignored.isMember) return undefined
  if (before === undefined) return whole(type, after, except)
  const node = nodeFor(type, before, after)
  if (isAtomic(node) || (isEmptyOrAbsent(before) && isEmptyOrAbsent(after))) {
    return except.unowned.isMember || isSameJson(before, after) ? undefined : itself
  }
  if (node?.shape === 'list') return changedItems(node, (before ?? []) as unknown[], (after ?? []) as unknown[], except)
  return membersOf(after, (key, value) =>
    changed(memberNode(node, key), ownMember((before ?? {}) as JsonObject, key), value, below(except, `f:${key}`)),
  )
}

function changedItems(
  node: Extract<SchemaNode, { shape: 'list' }>,
  before: readonly unknown[],
  after: readonly unknown[],
  except: Except,
): Written {
  if (isSameJson(before, after)) return undefined
  const old = new Map(itemsOf(node, before).map(({ step, value }) => [step, value]))
  const unownedHere = { ignored: emptySet, unowned: except.unowned }
  return stepsOf(
    itemsOf(node, after).map(({ step, value }) => [
      step,
      changed(node.item, old.get(step), value, below(unownedHere, step)),
    ]),
  )
}

/** A value that is new with all it holds. */
function whole(type: SchemaNode | undefined, value: unknown, except: Except): Written {
  if (value === undefined || except.ignored.isMember) return undefined
  const node = nodeFor(type, value)
  const inner = isAtomic(node) || isEmptyOrAbsent(value) ? undefined : wholeBelow(node, value, except)
  if (except.unowned.isMember) return inner
  return inner === undefined ? itself : { '.': itself, ...inner }
}

function wholeBelow(node: SchemaNode | undefined, value: unknown, except: Except): Written {
  if (node?.shape !== 'list') {
    return membersOf(value, (key, member) => whole(memberNode(node, key), member, below(except, `f:${key}`)))
  }
  const items = itemsOf(node, value as unknown[])
  return stepsOf(items.map((item) => [item.step, whole(node.item, item.value, below(except, item.step))]))
}

function membersOf(object: unknown, write: (key: string, member: unknown) => Written): Written {
  const fields: Record<string, unknown> = {}
  let isEmpty = true
  for (const key of Object.keys((object ?? {}) as JsonObject).sort()) {
    const written = write(key, (object as JsonObject)[key])
    if (written === undefined) continue
    fields[`f:${key}`] = written
    isEmpty = false
  }
  return isEmpty ? undefined : fields
}

function stepsOf(items: readonly (readonly [string, Written])[]): Written {
  const written = items.filter(([, fields]) => fields !== undefined)
  if (written.length === 0) return undefined
  return Object.fromEntries(written.sort(([a], [b]) => (a < b ? -1 : 1)))
}
