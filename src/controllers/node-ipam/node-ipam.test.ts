import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '#api/types/core.v1.ts'
import { cidrBlocks } from './cidr-blocks.ts'
import { decideAssignments } from './decide.ts'

function node(name: string, ...podCIDRs: string[]): Node {
  const metadata = { name, uid: name, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata,
    spec: podCIDRs.length === 0 ? {} : { podCIDR: podCIDRs[0], podCIDRs },
  }
}

test('a range is cut into equal blocks, and each is found again', () => {
  const v4 = cidrBlocks('10.244.0.0/16', 24)
  assert.equal(v4.count, 256)
  assert.equal(v4.block(0), '10.244.0.0/24')
  assert.equal(v4.block(255), '10.244.255.0/24')
  assert.equal(v4.indexOf('10.244.7.0/24'), 7)
  assert.equal(v4.indexOf('10.245.0.0/24'), undefined)
  assert.equal(v4.indexOf('10.244.0.0/25'), undefined)
  const v6 = cidrBlocks('fd00:10:244::/56', 64)
  assert.equal(v6.count, 256)
  assert.equal(v6.block(0), 'fd00:10:244::/64')
  assert.equal(v6.block(10), 'fd00:10:244:a::/64')
  assert.equal(v6.indexOf('fd00:10:244:ff::/64'), 255)
})

for (const cidr of ['10.244.0.0', '10.244.0.0/25', 'nonsense/16', '10.244.0.0/33']) {
  test(`${cidr} is refused`, () => {
    assert.throws(() => cidrBlocks(cidr, 24), RangeError)
  })
}

test('nodes get the lowest free blocks, one of each range', () => {
  const ranges = [cidrBlocks('10.0.0.0/22', 24), cidrBlocks('fd00::/62', 64)]
  const nodes = [node('a', '10.0.1.0/24', 'fd00::/64'), node('c'), node('b')]
  const assigned = decideAssignments(nodes, ranges).map(({ node, cidrs }) => [node.metadata.name, cidrs])
  assert.deepEqual(assigned, [
    ['b', ['10.0.0.0/24', 'fd00:0:0:1::/64']],
    ['c', ['10.0.2.0/24', 'fd00:0:0:2::/64']],
  ])
})

test('when a range is used up the rest gets nothing', () => {
  const ranges = [cidrBlocks('10.0.0.0/23', 24)]
  const assigned = decideAssignments([node('a'), node('b'), node('c')], ranges)
  assert.deepEqual(
    assigned.map(({ cidrs }) => cidrs?.[0]),
    ['10.0.0.0/24', '10.0.1.0/24', undefined],
  )
})
