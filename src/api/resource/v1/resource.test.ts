import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate, tryUpdate } from '../../kind-trial.case.ts'
import type { Kind } from '../../kind.ts'
import type { ResourceSlice } from '../../types/resource.v1.ts'
import { resourceClaim } from './resource-claim.ts'
import { deviceClass } from './device-class.ts'
import { resourceSlice } from './resource-slice.ts'

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
      'spec.devices.constraints[0]: Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
    ],
  ],
  [
    resourceSlice,
    { ...slice, devices: [{ name: 'a', bindingConditions: ['x'], nodeName: 'm' }], sharedCounters: [{ name: 's' }] },
    [
      'spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed',
      'spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
      'spec.devices[0].bindingFailureConditions: Invalid value: []: bindingFailureConditions are required to use bindingConditions',
      'spec.sharedCounters[0].counters: Required value',
    ],
  ],
  [
    resourceSlice,
    {
      ...slice,
      devices: [
        {
          name: 'a',
          capacity: {
            plain: { value: '4', requestPolicy: {} },
            'a/b/c': { value: '1' },
          },
          consumesCounters: [{ counterSet: 'S', counters: {} }],
        },
        {
          name: 'b',
          allowMultipleAllocations: true,
          capacity: {
            values: { value: '4', requestPolicy: { default: '3', validValues: ['2', '1', '8'] } },
            range: { value: '4', requestPolicy: { default: '4', validRange: { min: '1', step: '2', max: '5' } } },
            both: { value: '4', requestPolicy: { validValues: ['2'], validRange: { min: '1' } } },
            neither: { value: '4', requestPolicy: { validRange: { min: '1' } } },
          },
        },
      ],
    },
    [
      'spec.devices[0].capacity[plain].requestPolicy: Forbidden: allowMultipleAllocations must be true',
      'spec.devices[0].capacity: Invalid value: "a/b/c": must not contain more than one slash',
      `spec.devices[0].consumesCounters[0].counterSet: Invalid value: "S": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
      'spec.devices[0].consumesCounters[0].counters: Required value',
      'spec.devices[1].capacity[values].requestPolicy.validValues[1]: Invalid value: "1": values must be sorted in ascending order',
      'spec.devices[1].capacity[values].requestPolicy.validValues[2]: Invalid value: "8": option is larger than capacity value: 4',
      'spec.devices[1].capacity[values].requestPolicy.validValues: Invalid value: "3": default value is not valid according to the requestPolicy',
      'spec.devices[1].capacity[range].requestPolicy.validRange.max: Invalid value: "5": max is larger than capacity value: 4',
      'spec.devices[1].capacity[range].requestPolicy.validRange.step: Invalid value: "4": value is not a multiple of a given step (2) from (1)',
      'spec.devices[1].capacity[both].requestPolicy: Forbidden: exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time',
      'spec.devices[1].capacity[neither].requestPolicy.default: Required value: required when validRange is defined',
    ],
  ],
  [
    deviceClass,
    { extendedResourceName: 'gpu', config: [{ opaque: { driver: 'd.e', parameters: [] } }] },
    [
      'spec.config[0].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object',
      'spec.extendedResourceName: Invalid value: "gpu": must be a valid extended resource name',
    ],
  ],
]

test('objects of dynamic resource allocation are refused in the words of the API server', () => {
  for (const [kind, spec, expected] of cases) assert.deepEqual(tryCreate(kind, { spec }).messages, expected)
})

test('fields of features that are switched off are forgotten', () => {
  const attributes = { a: { strings: ['x'], string: 'y' } }
  const devices = [{ name: 'a', attributes, nodeAllocatableResourceMappings: { cpu: { capacityKey: 'cores' } } }]
  const { object } = tryCreate(resourceSlice, { spec: { ...slice, devices } }) as unknown as { object: ResourceSlice }
  assert.deepEqual(object.spec.devices, [{ name: 'a', attributes: { a: { string: 'y' } } }])
})

const costly = `"${'x'.repeat(1_000)}".split("x").all(a, "${'y'.repeat(1_000)}".split("y").all(b, a + b != "z"))`
const expressions: readonly [string, string][] = [
  ['device.driver == "d" && device.attributes["d"].model == "x" && device.allowMultipleAllocations', ''],
  ['device.capacity["d"].memory.isGreaterThan(quantity("1Gi"))', ''],
  ['cel.bind(own, device.attributes["d"], own.a && own.b)', ''],
  ['device.attributes["d"].version.isGreaterThan(semver("1.0.0"))', ''],
  ['device.attributes.all(d, device.attributes[d].all(n, device.attributes[d][n] != "x"))', ''],
  ['device.attributes["d"].model', ''],
  ['device.driver', 'Invalid value: "device.driver": must evaluate to bool or the unknown type, not string'],
  [costly, 'Forbidden: too complex, exceeds cost limit'],
  [
    'device.colour == "red"',
    `Invalid value: "device.colour == \\"red\\"": compilation failed: ERROR: <input>:1:7: undefined field 'colour'\n | device.colour == "red"\n | ......^`,
  ],
  ['x'.repeat(10_241), 'Too long: may not be more than 10240 bytes'],
]

test('expressions that choose devices must compile, answer yes or no, and be cheap', () => {
  for (const [expression, expected] of expressions) {
    const { messages } = tryCreate(deviceClass, { spec: { selectors: [{ cel: { expression } }] } })
    const wanted = expected === '' ? [] : [`spec.selectors[0].cel.expression: ${expected}`]
    assert.deepEqual(messages, wanted, expression.slice(0, 80))
  }
})

test('what a class has is not judged again', () => {
  const made = tryCreate(deviceClass, { spec: { selectors: [{ cel: { expression: 'device.colour' } }] } })
  const relabel = (draft: { metadata: { labels?: object } }): void => void (draft.metadata.labels = { a: 'b' })
  assert.deepEqual(tryUpdate(deviceClass, made, relabel as never).messages, [])
})
