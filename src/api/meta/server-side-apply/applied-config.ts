import { decodeValue } from '../../schema/decode.ts'
import type { MapNode, ObjectNode, ScalarKind, SchemaNode } from '../../schema/node.ts'
import { isPlainObject } from '../../schema/own-member.ts'
import { StatusError } from '../status.ts'
import { goSyntax, goTypeName } from '../go-syntax.ts'
import { goText } from '../go-text.ts'
import { checkedItems } from './typed-list.ts'

/** Reads an applied configuration: canonical scalars, no nulls, every zero that was said. Throws in the API server's words for what does not fit. */
export function readAppliedConfig(node: ObjectNode, config: object): Record<string, unknown> {
  const problems: string[] = []
  check(node, config, '', problems)
  if (problems.length > 0) throw cannotBeTyped(config, problems)
  return decodeValue(node, config, 'keep').object
}

function check(node: SchemaNode, value: unknown, path: string, problems: string[]): void {
  if (value === null || value === undefined || node.shape === 'raw') return
  if (node.shape === 'scalar') {
    if (!fits(node.kind, value)) problems.push(`${path}: expected ${expectedScalar(node.kind, value)}`)
  } else if (node.shape === 'list') {
    if (!Array.isArray(value)) return void problems.push(`${path}: expected list, got &{${goText(value)}}`)
    for (const { step, item } of checkedItems(node, value, path, problems)) {
      check(node.item, item, `${path}${step}`, problems)
    }
  } else if (isPlainObject(value)) checkMembers(node, value, path, problems)
  else problems.push(`${path}: expected map, got &{${goText(value)}}`)
}

function checkMembers(
  node: ObjectNode | MapNode,
  value: Readonly<Record<string, unknown>>,
  path: string,
  problems: string[],
): void {
  for (const [key, member] of Object.entries(value)) {
    const below = node.shape === 'map' ? node.value : node.fields.get(key)?.node
    if (below) check(below, member, `${path}.${key}`, problems)
    else if (node.custom?.preserves !== true) problems.push(`${path}.${key}: field not declared in schema`)
  }
}

function expectedScalar(kind: ScalarKind, value: unknown): string {
  switch (kind) {
    case 'int32':
    case 'int64':
    case 'double':
      return `numeric (int or float), got ${goTypeName(value)}`
    case 'quantity':
    case 'intOrString':
      return `any scalar, got &{${goText(value)}}`
    default:
      return `${kind === 'boolean' ? 'boolean' : 'string'}, got ${shown(value)}`
  }
}

function fits(kind: ScalarKind, value: unknown): boolean {
  switch (kind) {
    case 'boolean':
      return typeof value === 'boolean'
    case 'int32':
    case 'int64':
    case 'double':
      return typeof value === 'number'
    case 'quantity':
    case 'intOrString':
      return typeof value === 'string' || typeof value === 'number'
    default:
      return typeof value === 'string'
  }
}

function shown(value: unknown): string {
  return `&value.valueUnstructured{Value:${goSyntax(value)}}`
}

interface Named {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: { readonly namespace?: string; readonly name?: string }
}

function cannotBeTyped(config: Named, problems: readonly string[]): StatusError {
  const { apiVersion = '', kind = '', metadata } = config
  const groupVersion = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`
  const subject = `(${metadata?.namespace ?? ''}/${metadata?.name ?? ''}; ${groupVersion}, Kind=${kind})`
  const list = problems.length === 1 ? problems[0] : `errors:\n  ${problems.join('\n  ')}`
  return new StatusError('', `failed to create typed patch object ${subject}: ${list}`, { code: 500 })
}
