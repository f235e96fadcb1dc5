/** One complete type of the D-Bus type system; `r` is a structure, `e` an entry of a dictionary. */
export type DbusType =
  | { readonly code: BasicCode | 'v' }
  | { readonly code: 'a'; readonly item: DbusType }
  | { readonly code: 'r' | 'e'; readonly fields: readonly DbusType[] }

const basicCodes = ['y', 'b', 'n', 'q', 'i', 'u', 'x', 't', 'd', 's', 'o', 'g', 'h'] as const
export type BasicCode = (typeof basicCodes)[number]

/** The protocol's own limits. */
const longestSignature = 255
const deepestNesting = 32

/** Reads a signature such as `a{sv}u`. Throws when it is none. */
export function parseSignature(signature: string): readonly DbusType[] {
  if (signature.length > longestSignature) throw new Error('D-Bus: signature too long')
  const types: DbusType[] = []
  for (let at = 0; at < signature.length;) {
    const { type, end } = parseOne(signature, at, 0)
    types.push(type)
    at = end
  }
  return types
}

interface Parsed {
  readonly type: DbusType
  /** Where the next type begins. */
  readonly end: number
}

function parseOne(signature: string, at: number, depth: number): Parsed {
  if (depth > deepestNesting) throw new Error('D-Bus: signature nested too deeply')
  const code = signature[at]
  if (code === 'a') {
    const { type: item, end } = parseOne(signature, at + 1, depth + 1)
    return { type: { code, item }, end }
  }
  if (code === '(') return parseFields(signature, { at, close: ')', depth })
  if (code === '{') return parseFields(signature, { at, close: '}', depth })
  if (code === 'v' || isBasic(code)) return { type: { code }, end: at + 1 }
  throw new Error(`D-Bus: bad signature "${signature}"`)
}

function parseFields(
  signature: string,
  { at, close, depth }: { readonly at: number; readonly close: ')' | '}'; readonly depth: number },
): Parsed {
  const fields: DbusType[] = []
  let next = at + 1
  while (signature[next] !== close) {
    const { type, end } = parseOne(signature, next, depth + 1)
    fields.push(type)
    next = end
  }
  const isEntry = close === '}'
  if (isEntry ? fields.length !== 2 : fields.length === 0) throw new Error(`D-Bus: bad signature "${signature}"`)
  return { type: { code: isEntry ? 'e' : 'r', fields }, end: next + 1 }
}

function isBasic(code: string | undefined): code is BasicCode {
  return basicCodes.some((known) => known === code)
}

/** Values of these types begin at a multiple of so many bytes. */
export const alignments: Readonly<Record<DbusType['code'], number>> = Object.fromEntries(
  ['ygv', 'nq', 'biuhsoa', 'xtdre'].flatMap((codes, power) => codes.split('').map((code) => [code, 2 ** power])),
) as Record<DbusType['code'], number>
