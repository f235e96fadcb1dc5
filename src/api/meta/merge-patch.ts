import { isPlainObject, setOwn } from '../schema/own-member.ts'

/**
 * JSON merge patch (RFC 7386). The target stays as it is; what the patch does not touch is shared with the result. Null
 * removes a member; anything but an object replaces.
 */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isPlainObject(patch)) return patch
  const source = isPlainObject(target) ? target : {}
  const result: Record<string, unknown> = {}
  for (const key of Object.keys(source)) if (!Object.hasOwn(patch, key)) setOwn(result, key, source[key])
  for (const key of Object.keys(patch)) {
    if (patch[key] !== null) setOwn(result, key, applyMergePatch(ownMember(source, key), patch[key]))
  }
  return result
}

/** The merge patch that turns `from` into `to`, for objects without null members; an empty object if they are equal. */
export function createMergePatch(from: object, to: object): Record<string, unknown> {
  const before = from as Readonly<Record<string, unknown>>
  const after = to as Readonly<Record<string, unknown>>
  const patch: Record<string, unknown> = {}
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) setOwn(patch, key, null)
  for (const key of Object.keys(after)) {
    const old = ownMember(before, key)
    const next = after[key]
    if (isSameJson(old, next)) continue
    setOwn(patch, key, isPlainObject(old) && isPlainObject(next) ? createMergePatch(old, next) : next)
  }
  return patch
}

/** Whether two JSON values are equal; the order of members does not count, undefined members do not exist. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) return isSameList(a, b)
  return isSameObject(a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>)
}

function isSameList(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
  return a.every((item, index) => isSameJson(item, b[index]))
}

function isSameObject(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  let size = 0
  for (const key of Object.keys(a)) {
    if (a[key] === undefined) continue
    if (!Object.hasOwn(b, key) || !isSameJson(a[key], b[key])) return false
    size++
  }
  for (const key of Object.keys(b)) if (b[key] !== undefined) size--
  return size === 0
}

function ownMember(source: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(source, key) ? source[key] : undefined
}
