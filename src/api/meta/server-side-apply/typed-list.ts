import type { ListNode, ObjectNode } from '../../schema/node.ts'
import { isPlainObject } from '../../schema/own-member.ts'
import { keyStep, pathText } from './field-set.ts'

/** One item of a list that is a set or a map, with the step that leads to it. */
export interface ListItem {
  readonly step: string
  readonly value: unknown
}

/** The items of a list whose items have identities. Of items with the same identity only the first counts. */
export function itemsOf(node: ListNode, list: readonly unknown[]): ListItem[] {
  const seen = new Set<string>()
  const items: ListItem[] = []
  for (const value of list) {
    const step = stepTo(node, value)
    if (!seen.has(step)) items.push({ step, value })
    seen.add(step)
  }
  return items
}

/** The step to an item: its value in a set, its keys in a map. A key that is absent has its default. */
function stepTo(node: ListNode, item: unknown): string {
  if (node.listType === 'set' || !isPlainObject(item)) return `v:${JSON.stringify(item)}`
  const itemNode = node.item.shape === 'object' ? node.item : undefined
  const keys: Record<string, unknown> = {}
  for (const key of node.keys) {
    const value = item[key] ?? defaultOf(itemNode, key)
    if (value !== undefined) keys[key] = value
  }
  return keyStep(keys)
}

function defaultOf(node: ObjectNode | undefined, key: string): unknown {
  return node?.fields.get(key)?.default
}

/**
 * The items of an applied list with the steps of their paths: `[name="c"]`, `[="x"]`, `[0]`. Adds a problem for one that is
 * named twice, and ends with one that has no name.
 */
export function checkedItems(
  node: ListNode,
  list: readonly unknown[],
  path: string,
  problems: string[],
): { readonly step: string; readonly item: unknown }[] {
  if (node.listType === 'atomic') return list.map((item, index) => ({ step: `[${index}]`, item }))
  const seen = new Set<string>()
  const items: { step: string; item: unknown }[] = []
  for (const [index, item] of list.entries()) {
    const problem = namelessness(node, item)
    if (problem !== undefined) {
      problems.push(`${path}: element ${index}: ${problem}`)
      return items
    }
    const step = pathText([stepTo(node, item)])
    if (seen.has(step)) problems.push(`${path}: duplicate entries for key ${step}`)
    seen.add(step)
    items.push({ step, item })
  }
  return items
}

function namelessness(node: ListNode, item: unknown): string | undefined {
  if (node.listType === 'set') {
    if (item === null) return "associative list without keys has an element that's an explicit null"
    if (isPlainObject(item)) return "associative list without keys has an element that's a map type"
    return Array.isArray(item) ? 'not supported: associative list with lists as elements' : undefined
  }
  if (item === null) return 'associative list with keys may not have a null element'
  if (!isPlainObject(item)) return 'associative list with keys may not have non-map elements'
  if (stepTo(node, item) !== 'k:{}') return undefined
  const keys = node.keys.map((key) => JSON.stringify(key)).join(' ')
  return `associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`
}
