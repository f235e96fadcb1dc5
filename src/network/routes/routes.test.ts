import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Node } from '#api/types/core.v1.ts'
import { nodeRoutes } from './node-routes.ts'
import { failedLines, kernelRoutes, routeBatch } from './route-batch.ts'

const node = (name: string, podCIDRs: readonly string[], ...addresses: readonly string[]): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name } as Node['metadata'],
  spec: { podCIDRs, ...(podCIDRs[0] !== undefined && { podCIDR: podCIDRs[0] }) },
  status: { addresses: addresses.map((address) => ({ type: 'InternalIP' as const, address })) },
})

const one = node('one', ['10.244.0.0/24'], '192.0.2.1')
const two = node('two', ['10.244.1.0/24'], '192.0.2.2')
const three = node('three', ['10.244.2.0/24', 'fd00:0:0:2::/64'], '192.0.2.3', '2001:db8::3')
const golden = (name: string): string => readFileSync(join(import.meta.dirname, 'testdata', `${name}.batch`), 'utf8')
const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

test('nodeRoutes() lead to every other node by its address of the same family', () => {
  const newcomer = node('four', [], '192.0.2.4')
  const nowhere = node('five', ['10.244.4.0/24'])
  assert.deepEqual(nodeRoutes([three, two, one, newcomer, nowhere], 'one'), [
    { nodeName: 'two', podCidr: '10.244.1.0/24', via: '192.0.2.2' },
    { nodeName: 'three', podCidr: '10.244.2.0/24', via: '192.0.2.3' },
    { nodeName: 'three', podCidr: 'fd00:0:0:2::/64', via: '2001:db8::3' },
  ])
})

test('routeBatch() brings all routes to a new node', () => {
  assert.equal(textOf(routeBatch([], nodeRoutes([one, two, three], 'one'), 201)), golden('new-node'))
})

test('routeBatch() removes the routes of a node that went and moves those of one with a new address', () => {
  const standing = nodeRoutes([one, two, three], 'one')
  const moved = node('three', ['10.244.2.0/24'], '192.0.2.33')
  assert.equal(textOf(routeBatch(standing, nodeRoutes([one, moved], 'one'), 201)), golden('nodes-change'))
})

test('routeBatch() has nothing to do where the routes stand', () => {
  const routes = nodeRoutes([one, two], 'one')
  assert.deepEqual(routeBatch(routes, routes, 201), [])
})

test('kernelRoutes() reads what iproute2 prints', () => {
  const json = '[{"dst":"10.244.1.0/24","gateway":"192.0.2.2","dev":"eth0","flags":[]},{"dst":"10.9.0.0/16","dev":"x"}]'
  assert.deepEqual(kernelRoutes(json), [{ podCidr: '10.244.1.0/24', via: '192.0.2.2' }])
  assert.deepEqual(kernelRoutes(''), [])
})

test('failedLines() tells which lines the kernel refused, and why', () => {
  const complaints = `Error: Nexthop has invalid gateway.
Command failed -:1
RTNETLINK answers: No such process
Command failed -:3
`
  assert.deepEqual(
    [...failedLines(complaints)],
    [
      [1, 'Nexthop has invalid gateway.'],
      [3, 'No such process'],
    ],
  )
})
