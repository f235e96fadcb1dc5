import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeValues } from './decode-values.ts'
import { encodeValues } from './encode-values.ts'
import { decodeMessage, encodeMessage, type DbusMessage } from './message.ts'
import { parseSignature } from './signature.ts'
import type { DbusValue } from './value.ts'

const encodings: readonly [signature: string, values: readonly DbusValue[], hex: string][] = [
  ['y', [7], '07'],
  ['yu', [1, 2], '01000000 02000000'],
  ['b', [true], '01000000'],
  ['nq', [-2, 65_535], 'feff ffff'],
  ['i', [-1], 'ffffffff'],
  ['yx', [1, -2n], '0100000000000000 feffffffffffffff'],
  ['t', [5_000_000n], '404b4c0000000000'],
  ['d', [1.5], '000000000000f83f'],
  ['s', ['hä'], '03000000 68c3a4 00'],
  ['g', ['a{sv}'], '05 617b73767d 00'],
  ['au', [[1, 2]], '08000000 01000000 02000000'],
  // The padding before the first item stands even where there is none.
  ['uat', [1, []], '01000000 00000000'],
  ['at', [[1n]], '08000000 00000000 0100000000000000'],
  ['a{sv}', [[['a', { signature: 'y', value: 9 }]]], '0a000000 00000000 01000000 6100 01 79 00 09'],
  ['y(yy)', [1, [2, 3]], '0100000000000000 0203'],
  ['v', [{ signature: 'as', value: ['x'] }], '02 6173 00 06000000 01000000 7800'],
]

for (const [signature, values, hex] of encodings) {
  test(`values of ${signature} have their bytes`, () => {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
    assert.equal(encodeValues(signature, values).toString('hex'), bytes.toString('hex'))
    assert.deepEqual(decodeValues(signature, bytes, true), { values, length: bytes.length })
  })
}

test('what a big-endian machine has written is read', () => {
  const bytes = Buffer.from('00000002 00010000 00000003 61626300'.replaceAll(' ', ''), 'hex')
  assert.deepEqual(decodeValues('uqs', bytes, false).values, [2, 1, 'abc'])
})

for (const signature of ['a', '()', '(y', '{ss', 'a{s}', 'z', 'y'.repeat(256), 'a'.repeat(40) + 'y']) {
  test(`no signature: ${signature.slice(0, 20)}`, () =>
    assert.throws(() => parseSignature(signature), /D-Bus|signature/))
}

const message: DbusMessage = {
  type: 'signal',
  path: '/org/freedesktop/login1',
  interface: 'org.freedesktop.login1.Manager',
  member: 'PrepareForShutdown',
  sender: ':1.4',
  signature: 'b',
  values: [true],
}

test('a message comes back, at whatever place the bytes are cut', () => {
  const bytes = encodeMessage(message, 77)
  for (let end = 0; end < bytes.length; end++) assert.equal(decodeMessage(bytes.subarray(0, end)), undefined)
  const twice = Buffer.concat([bytes, bytes])
  assert.deepEqual(decodeMessage(twice), { serial: 77, length: bytes.length, message })
})

test('what is no message is refused, not waited for', () => {
  const bytes = encodeMessage(message, 1)
  const changed = (at: number, ...values: number[]): Buffer => {
    const copy = Buffer.from(bytes)
    copy.set(values, at)
    return copy
  }
  assert.throws(() => decodeMessage(changed(3, 2)), /protocol version 2/)
  assert.throws(() => decodeMessage(changed(4, 0, 0, 0, 1)), /a message of \d+ bytes/)
  assert.throws(() => decodeMessage(changed(12, 3)), /D-Bus/)
})
