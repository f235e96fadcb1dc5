import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSigningRequest } from './create-signing-request.ts'
import { newPrivateKey } from './key-pair-text.ts'
import { parseSigningRequest } from './signing-request.ts'

const subject = { commonName: 'system:node:n1', organizations: ['system:nodes'] }

test('createSigningRequest() makes a request that the signer reads back, signature included', () => {
  const pem = createSigningRequest({ subject, dnsNames: ['n1'], ipAddresses: ['10.0.0.7', 'fd00::7'] }, newPrivateKey())
  const parsed = parseSigningRequest(pem)
  assert.deepEqual(parsed.subject, { ...subject, otherAttributes: [] })
  assert.deepEqual(parsed.dnsNames, ['n1'])
  assert.deepEqual(parsed.ipAddresses, ['10.0.0.7', 'fd00::7'])
})

test('createSigningRequest() leaves the extension out where no names are asked for', () => {
  const parsed = parseSigningRequest(createSigningRequest({ subject }, newPrivateKey()))
  assert.deepEqual([parsed.dnsNames, parsed.ipAddresses], [[], []])
})
