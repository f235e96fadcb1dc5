import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../kind.ts'
import { tryCreate } from '../../kind-trial.case.ts'
import type { ResourceClaim, ResourceClaimStatus } from '../../types/resource.v1.ts'
import { resourceClaim } from './resource-claim.ts'

const requests = [{ name: 'r', exactly: { deviceClassName: 'c' } }]
const { object } = tryCreate(resourceClaim, { spec: { devices: { requests } } })
const fresh = object as ResourceClaim
const result = { request: 'r', driver: 'd.e', pool: 'p', device: 'a' }
const allocation = { devices: { results: [result] } }
const consumer = (uid: string) => ({ resource: 'pods', name: 'p', uid })
const device = { driver: 'd.e', pool: 'p', device: 'a' }

/** What is wrong with a new status, and what is kept of it. */
function setStatus(status: object, before: ResourceClaimStatus = {}, metadata: object = {}) {
  const old = { ...fresh, metadata: { ...fresh.metadata, ...metadata }, status: before } as ResourceClaim
  const draft = structuredClone({ ...old, status }) as unknown as Draft<ResourceClaim>
  draft.metadata.labels = { other: 'label' }
  resourceClaim.prepareForStatusUpdate?.(draft as never, old, '')
  const errors = resourceClaim.validateStatusUpdate?.(draft as never, old, 0) ?? []
  return { claim: draft, messages: errors.map(({ field, message }) => `${field}: ${message}`) }
}

const cases: readonly [what: string, status: object, expected: readonly string[], before?: ResourceClaimStatus][] = [
  ['an allocation for its pod', { allocation, reservedFor: [consumer('u')], devices: [device] }, []],
  [
    'devices for a request that there is not',
    { allocation: { devices: { results: [{ ...result, request: 'q', shareID: 'S' }] } } },
    [
      `status.allocation.devices.results[0].request: Invalid value: "q": must be the name of a request in the claim or the name of a request and a subrequest separated by '/'`,
      'status.allocation.devices.results[0].shareID: Invalid value: "S": uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters',
    ],
  ],
  [
    'too many consumers',
    { allocation, reservedFor: Array.from({ length: 257 }, (_, index) => consumer(`u${index}`)) },
    ['status.reservedFor: Too many: 257: must have at most 256 items'],
  ],
  [
    'a consumer twice, and one without a name',
    { allocation, reservedFor: [consumer('u'), { ...consumer('u'), name: '' }] },
    ['status.reservedFor[1].name: Required value', 'status.reservedFor[1].uid: Duplicate value: "u"'],
  ],
  [
    'consumers without devices',
    { reservedFor: [consumer('u')] },
    ['status.reservedFor: Forbidden: may not be specified when `allocated` is not set'],
  ],
  [
    'other devices than before',
    { allocation: { devices: { results: [{ ...result, device: 'b' }] } } },
    [
      'status.allocation: Invalid value: {"devices":{"results":[{"request":"r","driver":"d.e","pool":"p","device":"b"}]}}: field is immutable',
    ],
    { allocation },
  ],
  [
    'the status of a device that it does not have',
    { allocation, devices: [{ ...device, device: 'b', conditions: [{ type: 'Ready', status: 'Maybe' }] }] },
    [
      'status.devices[0]: Invalid value: d.e/p/b: must be an allocated device in the claim',
      'status.devices[0].conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
      'status.devices[0].conditions[0].lastTransitionTime: Required value: must be set',
      'status.devices[0].conditions[0].reason: Required value: must be set',
    ],
  ],
  [
    'network data',
    {
      allocation,
      devices: [
        {
          ...device,
          data: ['x'],
          networkData: { interfaceName: 'x'.repeat(257), ips: ['10.0.0.1', '10.0.0.1/24', '2001:DB8::1/64'] },
        },
      ],
    },
    [
      'status.devices[0].data: Invalid value: "<value omitted>": must be a valid JSON object',
      'status.devices[0].networkData.interfaceName: Too long: may not be more than 256 bytes',
      'status.devices[0].networkData.ips[0]: Invalid value: "10.0.0.1": must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)',
      'status.devices[0].networkData.ips[2]: Invalid value: "2001:DB8::1/64": must be in canonical form ("2001:db8::1/64")',
    ],
  ],
]

for (const [what, status, expected, before] of cases) {
  test(`the status of a claim: ${what}`, () => assert.deepEqual(setStatus(status, before).messages, expected))
}

test('a claim that is going takes no new consumers, and lets go of those it has', () => {
  const going = { deletionTimestamp: '2024-01-01T00:00:00Z' }
  const before = { allocation, reservedFor: [consumer('u'), consumer('v')] }
  assert.deepEqual(setStatus({ allocation, reservedFor: [consumer('v')] }, before, going).messages, [])
  assert.deepEqual(setStatus({ allocation, reservedFor: [consumer('w')] }, before, going).messages, [
    'status.reservedFor: Forbidden: new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set',
  ])
})

test('what was said of devices goes with them, and the metadata stays', () => {
  const { claim, messages } = setStatus(
    { devices: [device] },
    { allocation, devices: [device] },
    { labels: { a: 'b' } },
  )
  assert.deepEqual(claim.status, {})
  assert.deepEqual(claim.metadata.labels, { a: 'b' })
  assert.deepEqual(messages, [])
})
