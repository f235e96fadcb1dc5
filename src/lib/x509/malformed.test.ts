import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DerError, readElements, readObjectIdentifier } from './der.ts'
import { decodePem, encodePem } from './pem.ts'
import { parseSigningRequest } from './signing-request.ts'

/** Whatever comes from outside ends in an answer or a `DerError`: never a crash, never another error. */
function onlyDerErrors(body: () => unknown): void {
  try {
    body()
  } catch (error) {
    assert.ok(error instanceof DerError, String(error))
  }
}

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array))

test('arbitrary bytes are read or refused', () => {
  fc.assert(fc.property(bytes, (input) => onlyDerErrors(() => readElements(input))))
  fc.assert(fc.property(bytes, (input) => onlyDerErrors(() => readObjectIdentifier(input))))
})

test('arbitrary requests are refused', () => {
  fc.assert(
    fc.property(bytes, (input) =>
      assert.throws(() => parseSigningRequest(encodePem('CERTIFICATE REQUEST', input)), DerError),
    ),
  )
  fc.assert(fc.property(fc.string(), (text) => assert.throws(() => parseSigningRequest(text), DerError)))
})

test('PEM is read back as it was written', () => {
  fc.assert(
    fc.property(bytes, (input) => assert.deepEqual(decodePem(encodePem('X', input)), [{ label: 'X', der: input }])),
  )
})
