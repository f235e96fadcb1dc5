import { badRequest, type StatusError } from '#api/meta/status.ts'
import { parseJson } from '#api/schema/decode.ts'
import { isPlainObject } from '#api/schema/own-member.ts'

/** Why a body does not even tell what kind of object it is; undefined if it does, or leaves it to the path. */
export function whyUntyped(text: string): string | undefined {
  const cannot = "couldn't get version/kind; json parse error: "
  let value: unknown
  try {
    value = parseJson(text)
  } catch (error) {
    return cannot + (error as Error).message
  }
  if (value === null) return undefined
  if (!isPlainObject(value))
    return `${cannot}json: cannot unmarshal ${goTypeOf(value)} into Go value of type ${typeMeta}`
  for (const field of ['kind', 'apiVersion']) {
    const found = (value as Readonly<Record<string, unknown>>)[field]
    if (found === undefined || found === null || typeof found === 'string') continue
    return `${cannot}json: cannot unmarshal ${goTypeOf(found)} into Go struct field .${field} of type string`
  }
  return undefined
}

/** As upstream prints the type that it reads these two fields into. */
const typeMeta = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`

function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** 400 for a body whose kind cannot be told, with its beginning: JSON as it is, anything else in hexadecimal. */
export function unrecognized(kind: string, why: string, body: Uint8Array): StatusError {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${beginning(body)})`)
}

const shownBytes = 30
const openingBrace = 0x7b

function beginning(body: Uint8Array): string {
  if (body.length === 0) return '<empty>'
  const shown = Buffer.from(body.subarray(0, shownBytes)).toString(body[0] === openingBrace ? 'utf8' : 'hex')
  return body.length > shownBytes ? `${shown} ...` : shown
}
