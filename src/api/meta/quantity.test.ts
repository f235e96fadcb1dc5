import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  milliValue,
  parseQuantity,
  quantityOf,
  quantityOfMilli,
  quantityToNumber,
  quantityValue,
  roundUpToMilli,
  subtractQuantities,
} from './quantity.ts'

const canonical: readonly (readonly [string | number, string])[] = [
  ['0', '0'],
  ['0n', '0'],
  ['0Ki', '0'],
  ['0e3', '0'],
  ['-0', '0'],
  ['00', '0'],
  ['0.0', '0'],
  ['+1', '1'],
  ['1', '1'],
  ['1000', '1k'],
  ['1000m', '1'],
  ['0.5', '500m'],
  ['.5', '500m'],
  ['5.', '5'],
  ['1.5', '1500m'],
  ['100m', '100m'],
  ['0.001', '1m'],
  ['0.0001', '100u'],
  ['1e3', '1e3'],
  ['1E3', '1e3'],
  ['1e4', '10e3'],
  ['1e-3', '1e-3'],
  ['12e5', '1200e3'],
  ['1000e3', '1e6'],
  ['1000k', '1M'],
  ['1500k', '1500k'],
  ['1E', '1E'],
  ['1Ki', '1Ki'],
  ['1024Ki', '1Mi'],
  ['1024Mi', '1Gi'],
  ['1.5Gi', '1536Mi'],
  ['0.5Ki', '512'],
  ['0.9Gi', '966367641600m'],
  ['1025', '1025'],
  ['1023Ki', '1023Ki'],
  ['1.1Mi', '1153433600m'],
  ['0.5Mi', '512Ki'],
  ['0.0001Ki', '102400u'],
  ['0.00000000001', '1n'],
  ['-0.00000000001', '-1n'],
  ['1.0000000001', '1000000001n'],
  ['-1', '-1'],
  ['-1.5Gi', '-1536Mi'],
  ['8Ei', '9223372036854775807'],
  ['7Ei', '7Ei'],
  ['100Ei', '9223372036854775807'],
  ['0.30000000000000004', '300000001n'],
  ['007Mi', '7Mi'],
  ['1000000000', '1G'],
  ['12345678901234567890', '12345678901234567890'],
  [1, '1'],
  [0.5, '500m'],
  [1e21, '1e21'],
  ['1e-999999', '1e-9'],
  ['1u', '1u'],
  ['1000n', '1u'],
]

test('a quantity is written in its canonical form', () => {
  for (const [input, wanted] of canonical) assert.equal(canonicalQuantity(input), wanted, String(input))
})

test('canonical form is a fixed point and keeps the value', () => {
  for (const [, wanted] of canonical) assert.equal(canonicalQuantity(wanted), wanted)
  const suffix = fc.constantFrom(
    '',
    'n',
    'u',
    'm',
    'k',
    'M',
    'G',
    'T',
    'P',
    'E',
    'Ki',
    'Mi',
    'Gi',
    'Ti',
    'e3',
    'e-6',
    'E7',
  )
  const numbers = fc.tuple(fc.constantFrom('', '-', '+'), fc.nat(999_999_999), fc.option(fc.nat(999_999)), suffix)
  fc.assert(
    fc.property(numbers, ([sign, whole, places, unit]) => {
      const text = `${sign}${whole}${places === null ? '' : `.${places}`}${unit}`
      const once = canonicalQuantity(text)
      assert.equal(canonicalQuantity(once), once)
      assert.equal(once, formatQuantity(parseQuantity(text)))
      if (!/i$/.test(text)) assert.equal(parseQuantity(once).nanos, parseQuantity(text).nanos)
    }),
  )
})

test('what is no quantity is refused with the words of the API server', () => {
  for (const text of ['', ' 1', '1 ', 'abc', '1.2.3', '1..2', '1Mi2x', '0x10']) {
    assert.throws(() => parseQuantity(text), /^QuantityError: quantities must match/, text)
  }
  for (const text of ['.', '+', 'Mi', `${'9'.repeat(400)}`, '1e999']) {
    assert.throws(() => parseQuantity(text), /numeric part/, text)
  }
  for (const text of ['1i', '1mi', '--1', '1+1', 'Mi5', '1Kii', '1e', '1e+', '1m5', '1K', '1.5mm'])
    assert.throws(() => parseQuantity(text), /suffix/, text)
})

test('sums keep the format of the first term unless it is zero', () => {
  assert.equal(addQuantities('1Gi', '1024Mi'), '2Gi')
  assert.equal(addQuantities('0', '1Gi'), '1Gi')
  assert.equal(addQuantities('100m', '0.9'), '1')
  assert.equal(addQuantities('1k', '24'), '1024')
  assert.equal(addQuantities('1Ki', '1'), '1025')
  assert.equal(subtractQuantities('1Gi', '1Mi'), '1023Mi')
  assert.equal(subtractQuantities('1', '1500m'), '-500m')
  assert.equal(subtractQuantities('1', '1'), '0')
})

test('comparison, numbers and rounding', () => {
  assert.equal(Math.sign(compareQuantities('1Gi', '1G')), 1)
  assert.equal(compareQuantities('1000m', '1'), 0)
  assert.equal(compareQuantities('-1', '0'), -1)
  assert.equal(milliValue('250m'), 250)
  assert.equal(milliValue('1.5'), 1500)
  assert.equal(milliValue('2'), 2000)
  assert.equal(milliValue('1n'), 1)
  assert.equal(quantityValue('1.5Gi'), 1_610_612_736)
  assert.equal(quantityValue('1500m'), 2)
  assert.equal(quantityValue('-1500m'), -2)
  assert.equal(quantityToNumber('1500m'), 1.5)
  assert.equal(quantityToNumber('1Ti'), 1_099_511_627_776)
  assert.equal(quantityOf(1_073_741_824, 'BinarySI'), '1Gi')
  assert.equal(quantityOfMilli(1500), '1500m')
  assert.equal(roundUpToMilli('0.30000000000000004'), '301m')
  assert.equal(roundUpToMilli('1Gi'), '1Gi')
})
