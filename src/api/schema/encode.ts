/**
 * JSON bytes of objects, made once per frozen object. `kind` and `apiVersion` always come first, so that an item of a
 * list, which goes without them, is cut from the same bytes.
 */

interface Typed {
  readonly kind: string
  readonly apiVersion: string
}

const encodedObjects = new WeakMap<object, Uint8Array>()

/** The object's JSON. Kept for frozen objects, so that every get, list and watch sends the same bytes. */
export function encodedJson(object: object): Uint8Array {
  const known = encodedObjects.get(object)
  if (known) return known
  const bytes = Buffer.from(stringifyTyped(object))
  if (Object.isFrozen(object)) encodedObjects.set(object, bytes)
  return bytes
}

/** JSON text with `kind` and `apiVersion` in front, where the object has them. */
function stringifyTyped(object: object): string {
  const { kind, apiVersion } = object as Partial<Typed>
  if (kind === undefined || apiVersion === undefined) return JSON.stringify(object)
  return JSON.stringify({ kind, apiVersion, ...object })
}

const brace = Buffer.from('{')
const comma = Buffer.from(',')

/** An item of a list: the object's bytes after `kind` and `apiVersion`, without the opening brace. */
function itemTail(object: Typed): Uint8Array {
  const bytes = encodedJson(object)
  const head = Buffer.byteLength(JSON.stringify({ kind: object.kind, apiVersion: object.apiVersion }))
  return bytes.subarray(Math.min(head, bytes.length - 1))
}

/**
 * A list's JSON from the cached bytes of its items, which lose their `kind` and `apiVersion` as in every list of a
 * built-in kind. `list` holds everything but `items`.
 */
export function encodedList(list: object, items: readonly object[]): Uint8Array {
  const head = stringifyTyped(list).slice(0, -1)
  const chunks: Uint8Array[] = [Buffer.from(`${head}${head.length > 1 ? ',' : ''}"items":[`)]
  for (const [index, item] of items.entries()) {
    if (index > 0) chunks.push(comma)
    chunks.push(brace, itemTail(item as Typed))
  }
  chunks.push(Buffer.from(']}'))
  return Buffer.concat(chunks)
}
