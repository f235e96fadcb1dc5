import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate } from '../../kind-trial.case.ts'
import type { Kind } from '../../kind.ts'
import { resourceClaim } from './resource-claim.ts'
import { deviceClass, resourceSlice } from './resource-slice.ts'

const pool = { name: 'p', generation: 1, resourceSliceCount: 1 }
const slice = { driver: 'd.e', pool, nodeName: 'n' }
const places = '`nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection`'
const exactly = { deviceClassName: 'c' }

const cases: readonly [Kind, object, readonly string[]][] = [
  [resourceSlice, slice, []],
  [
    resourceSlice,
    { ...slice, pool: { name: '', generation: -1, resourceSliceCount: 0 }, allNodes: true },
    [
      'spec.pool.name: Required value',
      'spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero',
      'spec.pool.generation: Invalid value: -1: must be greater than or equal to zero',
      `spec: Invalid value: "{\`nodeName\`, \`allNodes\`}": exactly one of ${places} is required, but multiple fields are set`,
    ],
  ],
  [
    resourceSlice,
    {
      ...slice,
      devices: [
        { name: 'a', attributes: { v: { version: '1' }, n: {} } },
        { name: 'a', taints: [{ key: '', effect: 'Never' }] },
      ],
    },
    [
      'spec.devices[0].attributes[v].version: Invalid value: "1": must be a string compatible with semver.org spec 2.0.0',
      'spec.devices[0].attributes[n]: Required value: exactly one value must be specified',
      'spec.devices[1].taints[0].key: Required value',
      'spec.devices[1].taints[0].effect: Unsupported value: "Never": supported values: "NoExecute", "NoSchedule", "None"',
      'spec.devices[1].name: Duplicate value: "a"',
    ],
  ],
  [
    deviceClass,
    { selectors: [{}], config: [{}] },
    ['spec.selectors[0].cel: Required value', 'spec.config[0].opaque: Required value'],
  ],
  [
    resourceClaim,
    {
      devices: {
        requests: [{ name: 'r', exactly: { ...exactly, tolerations: [{ operator: 'Exists', value: 'v' }] } }],
        constraints: [{ requests: ['q'] }],
      },
    },
    [
      'spec.devices.requests[0].exactly.tolerations[0].value: Invalid value: "v": must be empty for operator `Exists`',
      `spec.devices.constraints[0].requests[0]: Invalid value: "q": must be the name of a request in the claim or the name of a request and a subrequest separated by '/'`,
      'spec.devices.constraints[0].matchAttribute: Required value',
    ],
  ],
]

test('objects of dynamic resource allocation are refused in the words of the API server', () => {
  for (const [kind, spec, expected] of cases) assert.deepEqual(tryCreate(kind, { spec }).messages, expected)
})
