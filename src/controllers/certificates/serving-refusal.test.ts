import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '#api/types/core.v1.ts'
import { createSigningRequest } from '#lib/x509/create-signing-request.ts'
import { newPrivateKey } from '#lib/x509/key-pair-text.ts'
import { parseSigningRequest } from '#lib/x509/signing-request.ts'
import { servingRefusal } from './serving-refusal.ts'

const node = (name: string, ...addresses: readonly string[]): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name } as Node['metadata'],
  spec: {},
  status: { addresses: addresses.map((address) => ({ type: 'InternalIP' as const, address })) },
})

const nodes = [node('n1', '192.0.2.1', '192.0.2.9'), node('n2', '192.0.2.2', '192.0.2.9')]
const key = newPrivateKey()

const cases: readonly (readonly [string, string, readonly string[], readonly string[], RegExp | undefined])[] = [
  ['its own name and address', 'n1', ['n1'], ['192.0.2.1'], undefined],
  ['its own name alone', 'n1', ['n1'], [], undefined],
  ['the name of another node', 'n1', ['n1', 'n2'], ['192.0.2.1'], /^the DNS name n2 is not/],
  ['the name of a Service', 'n1', ['kubernetes.default.svc'], [], /^the DNS name kubernetes\.default\.svc is not/],
  ['the address of another node', 'n1', ['n1'], ['192.0.2.2'], /^192\.0\.2\.2 is not an address of the node/],
  ['an address that another node claims, too', 'n1', ['n1'], ['192.0.2.9'], /^192\.0\.2\.9 is also/],
  ['a node that is not there', 'n3', ['n3'], ['192.0.2.3'], /^there is no such node/],
]

for (const [what, name, dnsNames, ipAddresses, refusal] of cases) {
  test(`servingRefusal() of a request for ${what}`, () => {
    const subject = { commonName: `system:node:${name}`, organizations: ['system:nodes'] }
    const request = parseSigningRequest(createSigningRequest({ subject, dnsNames, ipAddresses }, key))
    const found = servingRefusal(request, { username: subject.commonName } as never, nodes)
    if (refusal === undefined) assert.equal(found, undefined)
    else assert.match(found ?? '', refusal)
  })
}

test('servingRefusal() of a request that somebody else makes for a node', () => {
  const subject = { commonName: 'system:node:n1', organizations: ['system:nodes'] }
  const request = parseSigningRequest(createSigningRequest({ subject, dnsNames: ['n1'] }, key))
  const spec = { username: 'system:node:n2' } as never
  assert.equal(servingRefusal(request, spec, nodes), 'the requester is not the node that the request names')
})
