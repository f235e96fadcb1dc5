import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Service } from '#api/types/core.v1.ts'
import type { Endpoint, EndpointSlice } from '#api/types/discovery.v1.ts'
import { withZoneHints } from './zone-hints.ts'
import { zoneShares } from './zone-shares.ts'

function node(zone: string, cpu: string, more: { ready?: boolean; labels?: Record<string, string> } = {}): Node {
  const { ready = true, labels = {} } = more
  return {
    metadata: { name: 'n', labels: { ...(zone && { 'topology.kubernetes.io/zone': zone }), ...labels } },
    status: { allocatable: { cpu }, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  } as unknown as Node
}

const service = (annotations: Record<string, string>): Service => ({ metadata: { annotations } }) as unknown as Service
const automatic = service({ 'service.kubernetes.io/topology-mode': 'Auto' })

/** `aab` stands for three endpoints in the zones a, a and b; a capital for one that is not ready, a dot for no zone. */
function endpoints(zones: string): readonly Endpoint[] {
  return zones.split('').map((zone, index) => ({
    addresses: [`10.0.0.${index}`],
    conditions: { ready: zone === zone.toLowerCase() },
    ...(zone !== '.' && { zone: zone.toLowerCase() }),
  }))
}

/** The hints in the same notation, a dash for none. */
function hintsFor(zones: string, nodes: readonly Node[], before = '', of = automatic) {
  const groups = [{ addressType: 'IPv4' as const, ports: [], endpoints: endpoints(zones) }]
  const hinted = endpoints(before.replaceAll('-', 'x')).map((each) =>
    each.zone === 'x' ? each : { ...each, hints: { forZones: [{ name: each.zone }] } },
  )
  const existing = [{ addressType: 'IPv4', endpoints: hinted }] as unknown as readonly EndpointSlice[]
  const { groups: given, news } = withZoneHints(of, groups, existing, () => zoneShares(nodes))
  const text = given.flatMap((group) => group.endpoints.map(({ hints }) => hints?.forZones?.[0]?.name ?? '-')).join('')
  return { text, news: news.map(({ type, message }) => `${type}: ${message}`) }
}

const even = [node('a', '4'), node('b', '4')]
const uneven = [node('a', '2'), node('a', '2'), node('b', '2')]
const enabled = 'Normal: Topology Aware Hints has been enabled, addressType: IPv4'
const refused = (why: string): string => `Warning: ${why}, addressType: IPv4`

const cases: readonly (readonly [string, string, readonly Node[], string, string, string?])[] = [
  ['each serves its own zone where that is fair', 'aabb', even, 'aabb', enabled],
  ['a zone lends what it has too much', 'aaab', even, 'aabb', enabled],
  ['a zone with two thirds of the processors gets two thirds', 'aabbbb', uneven, 'aabbaa', enabled],
  ['endpoints that are not ready serve none', 'aaBb', [node('a', '4'), node('b', '2')], 'aa-b', enabled],
  ['what was lent stays lent', 'baaa', even, 'baab', '', 'baab'],
  ['too few endpoints', 'a', even, '-', refused('Insufficient number of endpoints (1 endpoints, 2 zones)')],
  [
    'one zone only',
    'ab',
    [node('a', '4'), node('b', '4', { ready: false })],
    '--',
    refused('Nodes only ready in one zone'),
  ],
  [
    'a node without a zone',
    'ab',
    [...even, node('', '1')],
    '--',
    refused('Insufficient Node information: allocatable CPU or zone not specified on one or more nodes'),
  ],
  ['an endpoint without a zone', 'abb.', even, '----', refused('One or more endpoints do not have a zone specified')],
  [
    'zones that cannot be served fairly',
    'aab',
    [node('a', '1'), node('b', '1'), node('c', '10')],
    '---',
    refused('Unable to allocate minimum required endpoints to each zone without exceeding overload threshold'),
  ],
]

for (const [name, zones, nodes, text, news, before] of cases) {
  test(`hints of a service with topology mode Auto: ${name}`, () => {
    assert.deepEqual(hintsFor(zones, nodes, before), { text, news: news === '' ? [] : [news] })
  })
}

test('control plane nodes count for nothing, and the older annotation goes first', () => {
  const nodes = [...even, node('', '1', { labels: { 'node-role.kubernetes.io/control-plane': '' } })]
  assert.equal(hintsFor('ab', nodes).text, 'ab')
  const off = service({
    'service.kubernetes.io/topology-aware-hints': 'disabled',
    'service.kubernetes.io/topology-mode': 'Auto',
  })
  assert.deepEqual(hintsFor('ab', nodes, '', off), { text: '--', news: [] })
  assert.equal(hintsFor('ab', nodes, '', service({ 'service.kubernetes.io/topology-aware-hints': 'auto' })).text, 'ab')
})
