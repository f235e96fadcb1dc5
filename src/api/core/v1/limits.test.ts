import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate } from '../../kind-trial.case.ts'
import { short } from '../../short-messages.case.ts'
import { limitRange } from './limit-range.ts'
import { resourceQuota } from './resource-quota.ts'

const quotasCases: readonly (readonly [object, readonly string[]])[] = [
  [
    { spec: { hard: { cpu: '-1', foo: '1', pods: '1.5' } } },
    [
      'spec.hard[cpu]: Invalid value: "-1": must be greater than or equal to 0',
      'spec.hard[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
      'spec.hard[foo]: Invalid value: "foo": must be a standard resource for quota',
      'spec.hard[pods]: Invalid value: "1.5": must be an integer',
    ],
  ],
  [
    { spec: { hard: { 'requests.storage': '1' }, scopes: ['Terminating', 'NotTerminating', 'X'] } },
    [
      'spec.scopes: Invalid value: ["Terminating","NotTerminating","X"]: unsupported scope applied to resource',
      'spec.scopes: Invalid value: ["Terminating","NotTerminating","X"]: unsupported scope applied to resource',
      'spec.scopes: Invalid value: ["Terminating","NotTerminating","X"]: unsupported scope',
      'spec.scopes: Invalid value: ["Terminating","NotTerminating","X"]: conflicting scopes',
    ],
  ],
  [
    {
      spec: {
        hard: { pods: '1' },
        scopeSelector: {
          matchExpressions: [
            { scopeName: 'PriorityClass', operator: 'In' },
            { scopeName: 'Terminating', operator: 'In', values: ['a'] },
            { scopeName: 'X', operator: 'Y' },
            { scopeName: 'PriorityClass', operator: 'Exists', values: ['a'] },
          ],
        },
      },
    },
    [
      "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      `spec.scopeSelector.matchExpressions.operator: Invalid value: "In": must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity`,
      'spec.scopeSelector.matchExpressions.scopeName: Invalid value: "X": unsupported scope',
      'spec.scopeSelector.matchExpressions.operator: Invalid value: "Y": not a valid selector operator',
      "spec.scopeSelector.matchExpressions.values: Invalid value: [\"a\"]: must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
    ],
  ],
]

test('quotas', () => {
  for (const [manifest, expected] of quotasCases)
    assert.deepEqual(short(tryCreate(resourceQuota, manifest).messages), expected)
})

const limitCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      spec: {
        limits: [
          {
            type: 'Container',
            max: { cpu: '1' },
            min: { cpu: '2' },
            default: { cpu: '3' },
            defaultRequest: { cpu: '4' },
            maxLimitRequestRatio: { cpu: '0.5' },
          },
        ],
      },
    },
    [
      'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
      'spec.limits[0].defaultRequest[cpu]: Invalid value: "4": default request value 4 is greater than max value 1',
      'spec.limits[0].defaultRequest[cpu]: Invalid value: "4": default request value 4 is greater than default limit value 3',
      'spec.limits[0].default[cpu]: Invalid value: "1": default value 3 is greater than max value 1',
      'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "0.5": ratio 0.5 is less than 1',
    ],
  ],
  [
    {
      spec: {
        limits: [
          { type: 'Pod', default: { cpu: '1' }, defaultRequest: { cpu: '1' } },
          { type: 'PersistentVolumeClaim' },
          { type: 'Pod' },
          { type: 'a b' },
        ],
      },
    },
    [
      "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
      "spec.limits[0].defaultRequest: Forbidden: may not be specified when `type` is 'Pod'",
      'spec.limits[1].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
      'spec.limits[2].type: Duplicate value: "Pod"',
      'spec.limits[3].type: Invalid value: "a b": (qualified name)',
    ],
  ],
]

test('ranges of limits', () => {
  for (const [manifest, expected] of limitCases)
    assert.deepEqual(short(tryCreate(limitRange, manifest).messages), expected)
})
