import type { ListNode, ObjectNode } from '../../schema/node.ts'
import { isPlainObject } from '../../schema/own-member.ts'
import { StatusError } from '../status.ts'
import { keyStep } from './field-set.ts'

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

/** Refuses an applied list that names one item twice or an item without its keys. `path` is for the message. */
export function checkItems(node: ListNode, list: readonly unknown[], path: string): void {
  const seen = new Set<string>()
  for (const item of list) {
    const step = stepTo(node, item)
    if (step === 'k:{}')
      throw badList(
        `${path}: element ${seen.size}: associative list with keys has an element that omits all key fields ${JSON.stringify(node.keys)} (and doesn't have default values for any key fields)`,
      )
    if (seen.has(step)) throw badList(`${path}: duplicate entries for key ${step.slice(2)}`)
    seen.add(step)
  }
}

function badList(message: string): StatusError {
  return new StatusError('', message, { code: 500 })
}
