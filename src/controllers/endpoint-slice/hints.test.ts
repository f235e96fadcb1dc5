import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '#api/types/core.v1.ts'
import { hintsFor } from './hints.ts'

const zones = { forZones: [{ name: 'a' }] }
const cases = [
  ['no wish', undefined, true, 'a', undefined],
  ['its zone', 'PreferClose', true, 'a', zones],
  ['its zone by the new name', 'PreferSameZone', true, 'a', zones],
  [
    'its node, and its zone for clients that know no better',
    'PreferSameNode',
    true,
    'a',
    { ...zones, forNodes: [{ name: 'n1' }] },
  ],
  ['none while it is not ready', 'PreferSameZone', false, 'a', undefined],
  ['none without a zone', 'PreferSameZone', true, undefined, undefined],
  ['its node, though it has no zone', 'PreferSameNode', true, undefined, { forNodes: [{ name: 'n1' }] }],
] as const

for (const [name, trafficDistribution, ready, zone, hints] of cases) {
  test(`an endpoint hints at: ${name}`, () => {
    const service = { metadata: {}, spec: { trafficDistribution } } as Service
    const endpoint = { conditions: { ready }, nodeName: 'n1', ...(zone && { zone }) }
    assert.deepEqual(hintsFor(service, endpoint), hints)
  })
}
