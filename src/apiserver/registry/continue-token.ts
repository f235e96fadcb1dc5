import { posix } from 'node:path'
import { badRequest } from '#api/meta/status.ts'
import { DecodeError, parseJson } from '#api/schema/decode.ts'
import { isPlainObject } from '#api/schema/own-member.ts'

/** Where the next page of a list begins. */
export interface ContinueToken {
  /** The revision all pages are read at; 0: now, a page that may not fit the ones before. */
  readonly revision: number
  /** Key of the last object of the page before, relative to the collection. */
  readonly after: string
}

const version = 'meta.k8s.io/v1'

/** The token as clients carry it: opaque, URL-safe. */
export function writeContinueToken(token: ContinueToken): string {
  const json = JSON.stringify({ v: version, rv: token.revision === 0 ? -1 : token.revision, start: `${token.after}\0` })
  return Buffer.from(json).toString('base64url')
}

/** Reads a token; throws `BadRequest` for one that this server cannot have written. */
export function readContinueToken(text: string): ContinueToken {
  const { v = '', rv = 0, start = '' } = readFields(text)
  if (v !== version) throw invalid(`: server does not recognize this encoded version ${v}`)
  if (rv === 0) throw invalid(`: incorrect encoded start resourceVersion (version ${version})`)
  if (start === '') throw invalid(`: encoded start key empty (version ${version})`)
  // Nobody reaches other collections by a key that climbs out of its own.
  const key = start.startsWith('/') ? start : `/${start}`
  if (cleaned(key) !== key) throw invalid(`: ${start}`)
  return { revision: rv < 0 ? 0 : rv, after: key.slice(1).replace(/\0$/, '') }
}

interface TokenFields {
  readonly v?: string
  readonly rv?: number
  readonly start?: string
}

const fieldTypes = { v: 'string', rv: 'int64', start: 'string' } as const

function readFields(text: string): TokenFields {
  const at = illegalByteOf(text)
  if (at >= 0) throw invalid(`: illegal base64 data at input byte ${at}`)
  const value = parse(Buffer.from(text, 'base64url').toString())
  if (value === null) return {}
  if (!isPlainObject(value))
    throw invalid(`: json: cannot unmarshal ${goTypeOf(value)} into Go value of type ${goType}`)
  const fields = value as Readonly<Record<string, unknown>>
  for (const [name, type] of Object.entries(fieldTypes)) {
    const found = fields[name]
    if (found === undefined || found === null || fits(found, type)) continue
    const shown = typeof found === 'number' && type === 'int64' ? `number ${found}` : goTypeOf(found)
    throw invalid(`: json: cannot unmarshal ${shown} into Go struct field continueToken.${name} of type ${type}`)
  }
  const { v, rv, start } = fields as TokenFields
  return {
    ...(v !== undefined && v !== null && { v }),
    ...(rv !== undefined && v !== null && { rv }),
    ...(start !== undefined && start !== null && { start }),
  }
}

const goType = 'storage.continueToken'

function parse(text: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof DecodeError) throw invalid(`: ${error.message}`)
    throw error
  }
}

function fits(value: unknown, type: 'string' | 'int64'): boolean {
  return type === 'string' ? typeof value === 'string' : Number.isSafeInteger(value)
}

function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** Where the base64 breaks, or -1. Padding is illegal, too; a lone last character says nothing. */
function illegalByteOf(text: string): number {
  const at = text.search(/[^A-Za-z0-9_-]/)
  return at < 0 && text.length % 4 === 1 ? text.length - 1 : at
}

/** The path without `.`, `..`, doubled and trailing slashes. */
function cleaned(path: string): string {
  const normal = posix.normalize(path)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}

function invalid(why: string): Error {
  return badRequest(`invalid continue token: continue key is not valid${why}`)
}
