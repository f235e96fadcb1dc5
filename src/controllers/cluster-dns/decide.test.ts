import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '#api/types/core.v1.ts'
import { clusterDnsSlice } from './decide.ts'

function node(name: string, address: string | undefined, ready: string): Node {
  const addresses = address === undefined ? [] : [{ type: 'InternalIP', address }]
  return {
    metadata: { name },
    status: { addresses, conditions: [{ type: 'Ready', status: ready }] },
  } as unknown as Node
}

test('clusterDnsSlice() leads to every node with an address, ready when the node is', () => {
  const nodes = [node('b', '10.0.0.2', 'Unknown'), node('a', '10.0.0.1', 'True'), node('c', undefined, 'True')]
  const slice = clusterDnsSlice(nodes, { clusterIP: '10.96.0.10', nodePort: 10_053 })
  const found = slice.endpoints?.map(({ addresses, nodeName, conditions }) => [
    addresses[0],
    nodeName,
    conditions?.ready,
  ])
  assert.deepEqual(found, [
    ['10.0.0.1', 'a', true],
    ['10.0.0.2', 'b', false],
  ])
})
