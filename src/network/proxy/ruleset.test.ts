import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Service } from '#api/types/core.v1.ts'
import type { EndpointSlice } from '#api/types/discovery.v1.ts'
import { buildRuleset, type Ruleset } from './ruleset.ts'
import { changeScript, fullScript, sameBase } from './ruleset-text.ts'
import { routesOf } from './service-ports.ts'

const golden = (name: string, text: string): void => {
  const path = join(import.meta.dirname, 'testdata', name)
  if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(path, text)
  assert.equal(text, readFileSync(path, 'utf8'))
}

const metadata = { name: 'web', namespace: 'default', uid: 'u', resourceVersion: '1', creationTimestamp: '' }

function service(spec: Partial<Service['spec']> = {}): Service {
  const ports = [{ name: 'http', port: 80, protocol: 'TCP' as const, nodePort: 30080 }]
  return { apiVersion: 'v1', kind: 'Service', metadata, spec: { clusterIP: '10.96.0.20', ports, ...spec } } as Service
}

function slice(...endpoints: EndpointSlice['endpoints'] & object): EndpointSlice {
  const ports = [{ name: 'http', port: 8080, protocol: 'TCP' }]
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata,
    addressType: 'IPv4',
    endpoints,
    ports,
  } as EndpointSlice
}

const podA = { addresses: ['10.244.0.5'], conditions: { ready: true }, nodeName: 'n1' }
const podB = { addresses: ['10.244.1.6'], conditions: { ready: true }, nodeName: 'n2' }
const leaving = {
  addresses: ['10.244.0.7'],
  conditions: { ready: false, serving: true, terminating: true },
  nodeName: 'n1',
}
const options = { table: 'coracle', clusterCidr: '10.244.0.0/16', podCidr: '10.244.0.0/24' }

function ruleset(...endpoints: EndpointSlice['endpoints'] & object): Ruleset {
  return buildRuleset(routesOf(service(), [slice(...endpoints)], 'n1'), options)
}

test('routesOf() prefers ready endpoints and falls back to those that serve while terminating', () => {
  const targets = (...endpoints: EndpointSlice['endpoints'] & object): string[] =>
    routesOf(service(), [slice(...endpoints)], 'n1').flatMap((route) =>
      route.clusterTargets.map(({ address }) => address),
    )
  assert.deepEqual(targets(podA, leaving), ['10.244.0.5'])
  assert.deepEqual(targets(leaving), ['10.244.0.7'])
  assert.deepEqual(targets({ ...leaving, conditions: { ready: false, serving: false } }), [])
})

test('routesOf() keeps to the node under the Local traffic policies', () => {
  const [route] = routesOf(
    service({ externalTrafficPolicy: 'Local', internalTrafficPolicy: 'Local' }),
    [slice(podA, podB)],
    'n1',
  )
  assert.deepEqual(route?.clusterTargets, [{ address: '10.244.0.5', port: 8080 }])
  assert.deepEqual(route?.externalTargets, [{ address: '10.244.0.5', port: 8080 }])
  assert.equal(route?.keepsClientAddress, true)
})

test('routesOf() gives a headless service no route', () => {
  assert.deepEqual(routesOf(service({ clusterIP: 'None' }), [slice(podA)], 'n1'), [])
})

test('fullScript() writes the table for a balanced service', () =>
  golden('two-endpoints.nft', fullScript(ruleset(podA, podB))))

test('fullScript() rejects a service without endpoints', () => golden('no-endpoints.nft', fullScript(ruleset())))

test('changeScript() touches only what changed', () => {
  golden('one-endpoint-leaves.nft', changeScript(ruleset(podA, podB), ruleset(podA)))
  golden('last-endpoint-leaves.nft', changeScript(ruleset(podA), ruleset()))
  assert.equal(changeScript(ruleset(podA), ruleset(podA)), '')
})

test('sameBase() tells when the whole table must be replaced', () => {
  assert.equal(sameBase(ruleset(podA), ruleset(podB)), true)
  assert.equal(sameBase(ruleset(podA), buildRuleset([], { ...options, podCidr: undefined })), false)
})
