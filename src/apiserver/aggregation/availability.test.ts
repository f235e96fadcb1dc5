import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { APIService } from '#api/types/apiregistration.v1.ts'
import type { Service } from '#api/types/core.v1.ts'
import type { EndpointSlice } from '#api/types/discovery.v1.ts'
import { verdictOf, verdictOfProbe } from './availability.ts'

const apiService = (service?: object): APIService =>
  ({
    metadata: { name: 'v1.a.b' },
    spec: { group: 'a.b', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1, ...(service && { service }) },
  }) as unknown as APIService
const reference = { name: 's', namespace: 'n', port: 443 }
const service = (port: number, type = 'ClusterIP'): Service =>
  ({ spec: { type, ports: [{ port, name: 'https' }] } }) as unknown as Service
const slice = (ready: boolean, name = 'https'): EndpointSlice =>
  ({
    endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready } }],
    ports: [{ name, port: 1 }],
  }) as unknown as EndpointSlice

const rows: readonly (readonly [
  what: string,
  service: Service | undefined,
  slices: readonly EndpointSlice[],
  verdict: string | undefined,
])[] = [
  ['no service', undefined, [], 'False ServiceNotFound: service/s in "n" is not present'],
  ['another port', service(80), [], 'False ServicePortError: service/s in "n" is not listening on port 443'],
  ['no slices', service(443), [], 'False EndpointsNotFound: cannot find endpointslices for service/s in "n"'],
  [
    'nobody ready',
    service(443),
    [slice(false)],
    'False MissingEndpoints: endpointslices for service/s in "n" have no addresses with port name "https"',
  ],
  [
    'another port name',
    service(443),
    [slice(true, 'x')],
    'False MissingEndpoints: endpointslices for service/s in "n" have no addresses with port name "https"',
  ],
  ['somebody ready', service(443), [slice(false), slice(true)], undefined],
  ['a service elsewhere', service(443, 'ExternalName'), [], undefined],
]
for (const [what, backend, slices, wanted] of rows) {
  test(`an APIService with ${what}`, () => {
    const verdict = verdictOf(apiService(reference), { service: backend, slices })
    assert.equal(verdict && `${verdict.status} ${verdict.reason}: ${verdict.message}`, wanted)
  })
}

test('a local APIService is always there, and a probe decides for others', () => {
  assert.equal(verdictOf(apiService(), { service: undefined, slices: [] })?.reason, 'Local')
  assert.deepEqual(verdictOfProbe('why'), { status: 'False', reason: 'FailedDiscoveryCheck', message: 'why' })
  assert.deepEqual(verdictOfProbe(undefined), { status: 'True', reason: 'Passed', message: 'all checks passed' })
})
