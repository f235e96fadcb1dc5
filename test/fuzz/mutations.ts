import fc from 'fast-check'

/** Texts that readers of JSON and YAML trip over. */
const stumblingBlocks = [
  'null',
  '-1',
  '1e999',
  '9223372036854775808',
  '0.1',
  'true',
  '""',
  '[]',
  '{}',
  '[[]]',
  '"__proto__"',
  '{"__proto__":{"polluted":1}}',
  '"constructor":{"prototype":{"polluted":1}}',
  '\u0000',
  '\ud800',
  '\\u0000',
  '&a [*a]',
  '<<: *a',
  '!!js/function',
  '- ',
  ': ',
  '---\n',
  '"\\ud83d"',
]

interface Edit {
  readonly at: number
  readonly drop: number
  readonly bytes: Uint8Array
}

const edit = (blocks: readonly string[]): fc.Arbitrary<Edit> =>
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    drop: fc.nat(12),
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc.constantFrom(...blocks).map((text) => new Uint8Array(Buffer.from(text))),
    ),
  })

/** The document with a few bytes replaced, inserted or cut out. */
export function mutated(documents: readonly Uint8Array[], binary = false): fc.Arbitrary<Uint8Array> {
  const blocks = binary ? ['\u00ff\u00ff\u00ff', '\u0000', 'k8s\u0000'] : stumblingBlocks
  return fc
    .tuple(fc.constantFrom(...documents), fc.array(edit(blocks), { minLength: 1, maxLength: 4 }))
    .map(([document, edits]) => edits.reduce(applyEdit, document))
}

function applyEdit(document: Uint8Array, { at, drop, bytes }: Edit): Uint8Array {
  const start = Math.floor(at * document.length)
  return Buffer.concat([document.subarray(0, start), bytes, document.subarray(start + drop)])
}

/** Any JSON value, with keys that mean something to JavaScript or to Kubernetes. */
export function anyJson(keys: readonly string[]): fc.Arbitrary<unknown> {
  const key = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'prototype', ...keys), fc.string({ maxLength: 5 }))
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 1e21, '', 'a', 'TCP', '10', 'delete', 'replace'),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map((entries) => objectOf(entries)),
    ),
  }))
  return value
}

/** As `JSON.parse` makes objects: `__proto__` is a member like any other. */
function objectOf(entries: readonly (readonly [string, unknown])[]): object {
  const object = {}
  for (const [name, value] of entries) {
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
  }
  return object
}
