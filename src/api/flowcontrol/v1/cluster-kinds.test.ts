import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiService } from '../../apiregistration/v1/api-service.ts'
import { certificateSigningRequest } from '../../certificates/v1/certificate-signing-request.ts'
import { tryCreate } from '../../kind-trial.case.ts'
import type { Kind } from '../../kind.ts'
import { runtimeClass } from '../../node/v1/runtime-class.ts'
import { priorityClass } from '../../scheduling/v1/priority-class.ts'
import type { CertificateSigningRequest } from '../../types/certificates.v1.ts'
import type { PriorityLevelConfiguration } from '../../types/flowcontrol.v1.ts'
import { flowSchema } from './flow-schema.ts'
import { priorityLevelConfiguration } from './priority-level-configuration.ts'

const reserved =
  "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error:"
const request = Buffer.from('-----BEGIN CERTIFICATE REQUEST-----\n').toString('base64')

const cases: readonly [Kind, object, readonly string[]][] = [
  [
    priorityClass,
    { metadata: { name: 'system-x' }, value: 1 },
    [`${reserved} system-x is not a known system priority class`],
  ],
  [
    priorityClass,
    { metadata: { name: 'system-node-critical' }, value: 2 },
    [`${reserved} value of system-node-critical PriorityClass must be 2000001000`],
  ],
  [
    priorityClass,
    { value: 2_000_000_000 },
    ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000'],
  ],
  [
    apiService,
    {
      metadata: { name: 'wrong' },
      spec: { group: 'e.com', version: 'v1', groupPriorityMinimum: 0, versionPriority: 0 },
    },
    [
      'metadata.name: Invalid value: "wrong": must be `spec.version+"."+spec.group`: "v1.e.com"',
      'spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000',
      'spec.versionPriority: Invalid value: 0: must be positive and less than 1000',
    ],
  ],
  [
    flowSchema,
    {
      spec: {
        matchingPrecedence: 20_000,
        priorityLevelConfiguration: { name: '' },
        distinguisherMethod: { type: 'X' },
      },
    },
    [
      'spec.matchingPrecedence: Invalid value: 20000: must not be greater than 10000',
      'spec.distinguisherMethod.type: Unsupported value: {"Type":"X"}: supported values: "ByNamespace", "ByUser"',
      'spec.priorityLevelConfiguration.name: Required value: must reference a priority level',
    ],
  ],
  [
    certificateSigningRequest,
    { spec: { request: 'bm8=', signerName: 'nosuch', usages: ['any'], expirationSeconds: 5 } },
    [
      'spec.request: Invalid value: "bm8=": PEM block type must be CERTIFICATE REQUEST',
      `spec.signerName: Invalid value: "nosuch": must be a fully qualified domain and path of the form 'example.com/signer-name'`,
      'spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 600 seconds (10 minutes)',
    ],
  ],
]

test('objects of the cluster are refused in the words of the API server', () => {
  for (const [kind, manifest, expected] of cases)
    assert.deepEqual(tryCreate(kind, manifest, '').messages, expected, kind.kind)
  assert.equal(tryCreate(runtimeClass, { handler: 'Bad_Handler' }, '').errors[0]?.field, 'handler')
})

test('queues of a priority level are filled in', () => {
  const limited = { nominalConcurrencyShares: 1, limitResponse: { type: 'Queue', queuing: {} } }
  const { object, messages } = tryCreate(priorityLevelConfiguration, { spec: { type: 'Limited', limited } }, '')
  assert.deepEqual(messages, [])
  assert.deepEqual((object as PriorityLevelConfiguration).spec.limited, {
    nominalConcurrencyShares: 1,
    limitResponse: { type: 'Queue', queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 } },
    lendablePercent: 0,
  })
})

test('who asks for a certificate is not the client to say, and a decision stays', () => {
  const spec = { request, signerName: 'e.com/s', usages: ['any'], username: 'root', groups: ['system:masters'] }
  const { object } = tryCreate(certificateSigningRequest, { spec }, '')
  assert.deepEqual(Object.keys((object as CertificateSigningRequest).spec).sort(), ['request', 'signerName', 'usages'])
  const approved = { ...object, status: { conditions: [{ type: 'Approved', status: 'True' }] } }
  const now = { ...object, status: { certificate: 'bm9wZQ==', conditions: [] } }
  const errors = certificateSigningRequest.validateStatusUpdate?.(now as never, approved as never, 0) ?? []
  assert.deepEqual(
    errors.map(({ field, message }) => `${field}: ${message}`),
    [
      'status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block',
      'status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
    ],
  )
  const cells = certificateSigningRequest.cells?.(approved as never, Date.parse('2024-01-01T00:05:00Z'))
  assert.deepEqual(cells?.slice(1), ['5m', 'e.com/s', '', '<none>', 'Approved'])
})
