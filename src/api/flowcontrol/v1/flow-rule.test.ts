import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validateFlowRule } from './validate-flow-rule.ts'

const subject = { kind: 'User', user: { name: 'u' } } as const
const rule = { verbs: ['get'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'] }
const url = (nonResourceURLs: readonly string[]): object => ({
  subjects: [subject],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs }],
})

const cases: readonly [object, readonly string[]][] = [
  [{ subjects: [subject], resourceRules: [rule] }, []],
  [
    { subjects: [], resourceRules: [] },
    [
      'r.subjects: Required value: subjects must contain at least one value',
      'r: Required value: at least one of resourceRules and nonResourceRules has to be non-empty',
    ],
  ],
  [
    { subjects: [{ kind: 'ServiceAccount', serviceAccount: { name: 'a', namespace: '' } }], resourceRules: [rule] },
    ['r.subjects[0].serviceAccount.namespace: Required value: must specify namespace for service account'],
  ],
  [
    { subjects: [subject], resourceRules: [{ ...rule, verbs: ['*', 'get'], namespaces: [] }] },
    [
      `r.resourceRules[0].verbs: Invalid value: ["*","get"]: if '*' is present, must not specify other verbs`,
      'r.resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace',
    ],
  ],
  [
    url(['x', '/a//b', '/a*b']),
    [
      'r.nonResourceRules[0].nonResourceURLs[0]: Invalid value: "x": must start with slash',
      'r.nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/a//b": must not contain double slash',
      'r.nonResourceRules[0].nonResourceURLs[2]: Invalid value: "/a*b": wildcard can only do suffix matching',
    ],
  ],
]

test('rules of flow schemas are refused in the words of the API server', () => {
  for (const [one, expected] of cases) {
    const messages = validateFlowRule(one as never, 'r').map(({ field, message }) => `${field}: ${message}`)
    assert.deepEqual(messages, expected)
  }
})
