import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blank } from './blank.ts'
import { findFunctions } from './functions.ts'

const bodies: readonly [code: string, names: string[]][] = [
  ['function a() {\n}', ['a']],
  ['async function* a<T>(b: T): AsyncGenerator<T> {\n}', ['a']],
  ['function a(): { b: string } {\n}', ['a']],
  ['const a = (b: string): void => {\n}', ['a']],
  ['const a = async function () {\n}', ['function']],
  ['class A {\n  #b(c: string): string {\n  }\n  get d() {\n  }\n}', ['#b', 'd']],
  ['const a = {\n  b() {\n  },\n}', ['b']],
  ['for (const a of b) {\n}', []],
  ['for await (const a of b) {\n}', []],
  ['if (a()) {\n} else {\n}', []],
  ['try {\n} catch (error) {\n} finally {\n}', []],
  ['switch (a) {\n  case (1): {\n  }\n}', []],
  ['const a = b(c) ? {\n} : {\n}', []],
  ['function a(): Promise<Map<string, { b: 1 }>> {\n}', ['a']],
  ['function a(): Promise<\n  string[]\n> {\n}', ['a']],
  ['interface A {\n  b(): void\n}\nclass B {\n}', []],
  ['declare function a(): void\n\nexport class B implements C {\n}', []],
  ['a()\nconst b: C = {\n}', []],
  ['const a = b ? c(d) : e\nconst f = {\n}', []],
  ['interface A {\n  b(): void\n}', []],
  ["test('a', () => {\n})", ['arrow function']],
  ['const a = `${b(() => { c() })}`', ['arrow function']],
]

for (const [code, names] of bodies) {
  test(`findFunctions() sees ${names.join(', ') || 'nothing'} in ${JSON.stringify(code)}`, () => {
    assert.deepEqual(
      findFunctions(blank(code).code).map((span) => span.name),
      names,
    )
  })
}

test('findFunctions() counts lines with and without nested functions', () => {
  const code = 'function a() {\n  b()\n  c(() => {\n    d()\n  })\n}\n'
  assert.deepEqual(findFunctions(code), [
    { name: 'arrow function', line: 3, lines: 3, ownLines: 3 },
    { name: 'a', line: 1, lines: 6, ownLines: 3 },
  ])
})

test('blank() keeps offsets and tells code from comments and strings', () => {
  const text = "const a = 'x//y' /* {c} */ + `p ${q('r')} s` // end\nconst b = /[/']+/.test(a) ? 4 / 2 : 1\n"
  const { code, comments, literals } = blank(text)
  assert.equal(code.length, text.length)
  assert.equal(comments.length, text.length)
  assert.equal(code.replace(/ +/g, ' '), "const a = ' ' + ` {q(' ')} ` \nconst b = .test(a) ? 4 / 2 : 1\n")
  assert.deepEqual(comments.trim().split(/\s{2,}/), ['/* {c} */', '// end'])
  assert.deepEqual(
    literals.map((literal) => literal.value),
    ['x//y', 'p $', 'r', ' s'],
  )
})
