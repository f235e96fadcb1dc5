import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from './command.ts'
import type { Flag } from './command.ts'
import { parseArguments } from './parse-arguments.ts'

const flags: readonly Flag[] = [
  { name: 'namespace', shorthand: 'n', type: 'string', default: '', help: 'Namespace.' },
  { name: 'stdin', shorthand: 'i', type: 'boolean', default: false, help: 'Pass stdin.' },
  { name: 'tty', shorthand: 't', type: 'boolean', default: false, help: 'A terminal.' },
  { name: 'port', type: 'integer', default: 6443, help: 'Port.' },
  { name: 'timeout', type: 'duration', default: 0, help: 'How long.' },
  { name: 'sans', type: 'list', default: ['localhost'], help: 'Names.' },
  { name: 'dry-run', type: 'string', default: 'none', bareValue: 'unchanged', help: 'Only print.' },
]

const accepted: readonly [string, Record<string, unknown>, string[]?][] = [
  ['', { namespace: '', stdin: false, port: 6443, sans: ['localhost'] }],
  ['--namespace=a', { namespace: 'a' }],
  ['--namespace a', { namespace: 'a' }],
  ['--namespace=a=b', { namespace: 'a=b' }],
  ['--namespace -x', { namespace: '-x' }],
  ['--namespace --', { namespace: '--' }],
  ['-n a', { namespace: 'a' }],
  ['-na', { namespace: 'a' }],
  ['-n=a', { namespace: 'a' }],
  ['-it pod', { stdin: true, tty: true }, ['pod']],
  ['-itn a', { stdin: true, tty: true, namespace: 'a' }],
  ['-i=false', { stdin: false }],
  ['--stdin pod', { stdin: true }, ['pod']],
  ['--stdin=false', { stdin: false }],
  ['--dry-run pod', { 'dry-run': 'unchanged' }, ['pod']],
  ['--dry-run=server pod', { 'dry-run': 'server' }, ['pod']],
  ['a --port 1 b', { port: 1 }, ['a', 'b']],
  ['a -- --port b', { port: 6443 }, ['a', '--port', 'b']],
  ['- a', {}, ['-', 'a']],
  ['--timeout 1m30s', { timeout: 90_000 }],
  ['--sans a,b --sans c', { sans: ['a', 'b', 'c'] }],
  ['--namespace a --namespace b', { namespace: 'b' }],
]

for (const [line, values, operands = []] of accepted) {
  test(`parseArguments() accepts "${line}"`, () => {
    const parsed = parseArguments(flags, line === '' ? [] : line.split(' '))
    for (const [name, value] of Object.entries(values)) assert.deepEqual(parsed.values[name], value, name)
    assert.deepEqual(parsed.operands, operands)
    assert.equal(parsed.help, false)
  })
}

const refused: readonly [string, string][] = [
  ['--nonsense', 'unknown flag: --nonsense'],
  ['--nonsense=1', 'unknown flag: --nonsense'],
  ['-z', "unknown shorthand flag: 'z' in -z"],
  ['-iz', "unknown shorthand flag: 'z' in -iz"],
  ['--port', 'flag needs an argument: --port'],
  ['-n', "flag needs an argument: 'n' in -n"],
  ['-in', "flag needs an argument: 'n' in -in"],
  ['--port x', 'invalid argument "x" for "--port" flag: strconv.ParseInt: parsing "x": invalid syntax'],
  ['--port=', 'invalid argument "" for "--port" flag: strconv.ParseInt: parsing "": invalid syntax'],
  ['-i=x', 'invalid argument "x" for "-i, --stdin" flag: strconv.ParseBool: parsing "x": invalid syntax'],
  ['--timeout 5', 'invalid argument "5" for "--timeout" flag: time: invalid duration "5"'],
  ['--=a', 'bad flag syntax: --=a'],
  ['---a', 'bad flag syntax: ---a'],
]

for (const [line, message] of refused) {
  test(`parseArguments() refuses "${line}"`, () => {
    assert.throws(() => parseArguments(flags, line.split(' ')), new UsageError(message))
  })
}

test('parseArguments() reports help only before --', () => {
  assert.equal(parseArguments(flags, ['-h']).help, true)
  assert.equal(parseArguments(flags, ['a', '--help']).help, true)
  assert.equal(parseArguments(flags, ['--', '--help']).help, false)
})

test('parseArguments() tells a given flag from a default', () => {
  assert.deepEqual([...parseArguments(flags, ['--port', '6443']).given], ['port'])
})
