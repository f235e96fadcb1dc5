import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CelCheckError, checkCel, type Declarations } from './check.ts'
import { standardSignatures } from './standard-signatures.ts'
import { dynType, intType, listOf, mapOf, objectType, stringType, typeName, type Type } from './types.ts'

const self = objectType('selfType', {
  name: stringType,
  n: intType,
  list: listOf(stringType),
  map: mapOf(stringType, intType),
  sub: objectType('selfType.sub', { a: intType }),
})
const declarations: Declarations = {
  variables: new Map<string, Type>([
    ['self', self],
    ['object', dynType],
    ['authorizer.requestResource', intType],
  ]),
  signatures: standardSignatures(),
  structType: (name) => (name === 'Object' ? objectType('Object', 'any') : undefined),
}

const results: readonly (readonly [source: string, type: string])[] = [
  ['1 + 1', 'int'],
  ['self.n > 1 && self.name.startsWith("x")', 'bool'],
  ['self.n > 1.5', 'bool'],
  ['self.list.map(x, size(x))', 'list(int)'],
  ['self.map.filter(k, self.map[k] > 1)', 'list(string)'],
  ['self.list.all(i, v, i < 3 && v != "")', 'bool'],
  ['self.map.transformMap(k, v, string(v))', 'map(string, string)'],
  ['object.a.b[0]', 'dyn'],
  ['object.a == 1', 'bool'],
  ['self.?name', 'optional_type(string)'],
  ['self.?sub.?a.orValue(1)', 'int'],
  ['[]', 'list(dyn)'],
  ['[] + [1]', 'list(int)'],
  ['true ? self.name : "x"', 'string'],
  ['self.sub == null', 'bool'],
  ['has(self.name)', 'bool'],
  ['timestamp("2024-01-01T00:00:00Z")', 'google.protobuf.Timestamp'],
  ['type(self.n) == int', 'bool'],
  ['cel.bind(x, self.n, x + 1)', 'int'],
  ['optional.none().orValue("a")', 'string'],
  ['self.name in self.list', 'bool'],
  ['authorizer.requestResource', 'int'],
  ['Object{a: 1}', 'Object'],
  ['null', 'null_type'],
]
for (const [source, type] of results) {
  test(`${source} is of type ${type}`, () => assert.equal(typeName(checkCel(source, declarations).type), type))
}

const problems: readonly (readonly [source: string, ...messages: string[]])[] = [
  ['self.n == nobody', "1:11: undeclared reference to 'nobody' (in container '')"],
  ['self.missing > 1', "1:5: undefined field 'missing'"],
  ["1 < 'asdf'", "1:3: found no matching overload for '_<_' applied to '(int, string)'"],
  ['self.name == 1', "1:11: found no matching overload for '_==_' applied to '(string, int)'"],
  ['self.n.startsWith("x")', "1:18: found no matching overload for 'startsWith' applied to 'int.(string)'"],
  ['self.name.nothing()', "1:18: undeclared reference to 'nothing' (in container '')"],
  ['nothing(1)', "1:8: undeclared reference to 'nothing' (in container '')"],
  ['self.n in self.list', "1:8: found no matching overload for '@in' applied to '(int, list(string))'"],
  ['self.list[self.name]', "1:10: found no matching overload for '_[_]' applied to '(list(string), string)'"],
  ['self.n.x', "1:7: type 'int' does not support field selection"],
  [
    'self.n.all(x, true)',
    "1:5: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
  ],
  ['self.list.all(x, 1)', "1:14: found no matching overload for '_&&_' applied to '(bool, int)'"],
  ["[1, 'a']", "1:5: expected type 'int' but found 'string'"],
  ['self.name == null', "1:11: found no matching overload for '_==_' applied to '(string, null)'"],
  ['duration("1x") > duration("1s")', '1:10: invalid duration argument'],
  ['timestamp("soon") == timestamp("2024-01-01T00:00:00Z")', '1:11: invalid timestamp argument'],
  ['self.name.matches("(")', '1:19: invalid matches argument'],
  ['Thing{a: 1}', "1:6: undeclared reference to 'Thing' (in container '')"],
  [
    'a && b',
    "1:1: undeclared reference to 'a' (in container '')",
    "1:6: undeclared reference to 'b' (in container '')",
  ],
]
for (const [source, ...messages] of problems) {
  test(`${source} is refused`, () => {
    assert.throws(
      () => checkCel(source, declarations),
      (error) => {
        assert.ok(error instanceof CelCheckError)
        const found = error.message.split('\n').filter((line) => line.startsWith('ERROR'))
        assert.deepEqual(
          found,
          messages.map((message) => `ERROR: <input>:${message}`),
        )
        return true
      },
    )
  })
}
