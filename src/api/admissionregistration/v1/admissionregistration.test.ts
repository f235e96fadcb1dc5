import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate } from '../../kind-trial.case.ts'
import type { MutatingWebhookConfiguration, ValidatingAdmissionPolicy } from '../../types/admissionregistration.v1.ts'
import { validatingAdmissionPolicyBinding } from './admission-policy-binding.ts'
import { mutatingAdmissionPolicy, validatingAdmissionPolicy } from './admission-policy.ts'
import { mutatingWebhookConfiguration, validatingWebhookConfiguration } from './webhook-configuration.ts'

const rule = { apiGroups: ['e.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['things'] }
const hook = { name: 'w.e.com', sideEffects: 'None', admissionReviewVersions: ['v1'], rules: [rule] }

test('a webhook is filled in', () => {
  const webhooks = [{ ...hook, clientConfig: { service: { namespace: 'x', name: 'y' } } }]
  const { object, messages } = tryCreate(mutatingWebhookConfiguration, { webhooks }, '')
  assert.deepEqual(messages, [])
  assert.deepEqual((object as MutatingWebhookConfiguration).webhooks, [
    {
      ...hook,
      clientConfig: { service: { namespace: 'x', name: 'y', port: 443 } },
      rules: [{ ...rule, scope: '*' }],
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      namespaceSelector: {},
      objectSelector: {},
      timeoutSeconds: 10,
      reinvocationPolicy: 'Never',
    },
  ])
})

test('everything wrong with a webhook is told at once', () => {
  const bad = { apiGroups: [], apiVersions: ['*', 'v1'], operations: ['LOOK'], resources: ['*/*', 'pods'] }
  const webhook = {
    name: 'short',
    sideEffects: 'Some',
    admissionReviewVersions: ['v9'],
    clientConfig: { url: 'http://x/' },
    timeoutSeconds: 60,
    rules: [bad],
  }
  assert.deepEqual(tryCreate(validatingWebhookConfiguration, { webhooks: [webhook] }, '').messages, [
    'webhooks[0].name: Invalid value: "short": should be a domain with at least three segments separated by dots',
    'webhooks[0].rules[0].operations[0]: Unsupported value: "LOOK": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
    'webhooks[0].rules[0].apiGroups: Required value',
    `webhooks[0].rules[0].apiVersions: Invalid value: ["*","v1"]: if '*' is present, must not specify other API versions`,
    `webhooks[0].rules[0].resources: Invalid value: ["*/*","pods"]: if '*/*' is present, must not specify other resources`,
    'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
    'webhooks[0].timeoutSeconds: Invalid value: 60: the timeout value must be between 1 and 30 seconds',
    `webhooks[0].clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
    'webhooks[0].admissionReviewVersions: Invalid value: ["v9"]: must include at least one of v1, v1beta1',
  ])
})

test('policies and bindings', () => {
  const spec = { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: 'true' }] }
  const { object } = tryCreate(validatingAdmissionPolicy, { spec }, '')
  assert.deepEqual((object as ValidatingAdmissionPolicy).spec, {
    matchConstraints: {
      namespaceSelector: {},
      objectSelector: {},
      resourceRules: [{ ...rule, scope: '*' }],
      matchPolicy: 'Equivalent',
    },
    validations: [{ expression: 'true' }],
    failurePolicy: 'Fail',
  })
  const binding = { spec: { policyName: '', validationActions: ['Deny', 'Warn'] } }
  assert.deepEqual(tryCreate(validatingAdmissionPolicyBinding, binding, '').messages, [
    'spec.policyName: Required value',
    'spec.validationActions: Invalid value: ["Deny","Warn"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
  ])
})

const path = 'spec.validations[0]'
const expressions: readonly (readonly [what: string, spec: object, ...messages: string[]])[] = [
  ['typed', { validations: [{ expression: "request.userInfo.username == 'x' && object.spec.x > 1" }] }],
  [
    'of another type',
    { validations: [{ expression: '1 + 1' }] },
    `${path}.expression: Invalid value: "1 + 1": must evaluate to bool but got int`,
  ],
  [
    'of any type',
    { validations: [{ expression: 'object.x' }] },
    `${path}.expression: Invalid value: "object.x": must evaluate to bool but got dyn`,
  ],
  [
    'with parameters that the policy does not take',
    { validations: [{ expression: 'params.x == 1' }] },
    `${path}.expression: Invalid value: "params.x == 1": compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')\n | params.x == 1\n | ^`,
  ],
  [
    'with a message of another type',
    { validations: [{ expression: 'true', messageExpression: '1' }] },
    `${path}.messageExpression: Invalid value: "1": must evaluate to string but got int`,
  ],
  [
    'with variables of a type',
    {
      variables: [{ name: 'n', expression: 'size(request.name)' }],
      validations: [{ expression: "variables.n == 'a'" }],
    },
    `${path}.expression: Invalid value: "variables.n == 'a'": compilation failed: ERROR: <input>:1:13: found no matching overload for '_==_' applied to '(int, string)'\n | variables.n == 'a'\n | ............^`,
  ],
  ['that ask an authorizer', { validations: [{ expression: "authorizer.requestResource.check('get').allowed()" }] }],
  [
    'of audit annotations',
    { auditAnnotations: [{ key: 'a', valueExpression: 'true' }] },
    'spec.auditAnnotations[0].valueExpression: Invalid value: "true": must evaluate to one of [string null_type] but got bool',
  ],
]
for (const [what, more, ...messages] of expressions) {
  test(`expressions of a policy: ${what}`, () => {
    const spec = { matchConstraints: { resourceRules: [rule] }, ...more }
    assert.deepEqual(tryCreate(validatingAdmissionPolicy, { spec }, '').messages, messages)
  })
}

test('the expressions of mutations make configurations and patches', () => {
  const jsonPatch = { expression: "[JSONPatch{op: 'add', path: '/a', value: 1}]" }
  const applyConfiguration = { expression: 'Object{metadata: Object.metadata{labels: {"a": "b"}}}' }
  const messagesOf = (...mutations: object[]): readonly string[] => {
    const spec = { matchConstraints: { resourceRules: [rule] }, reinvocationPolicy: 'Never', mutations }
    return tryCreate(mutatingAdmissionPolicy, { spec }, '').messages
  }
  const patch = { patchType: 'JSONPatch', jsonPatch }
  const apply = { patchType: 'ApplyConfiguration', applyConfiguration }
  assert.deepEqual(messagesOf(patch, apply), [])
  assert.deepEqual(messagesOf({ ...patch, jsonPatch: { expression: 'true' } }), [
    'spec.mutations[0].jsonPatch.expression: Invalid value: "true": must evaluate to list(JSONPatch) but got bool',
  ])
  assert.deepEqual(messagesOf({ ...apply, applyConfiguration: { expression: '{"a": 1}' } }), [
    'spec.mutations[0].applyConfiguration.expression: Invalid value: "{\\"a\\": 1}": must evaluate to Object but got map(string, int)',
  ])
})

test('a webhook with a condition that cannot be read is refused', () => {
  const conditions = [{ name: 'x', expression: 'object.a ==' }]
  const webhook = { ...hook, clientConfig: { url: 'https://a.b/c' }, matchConditions: conditions }
  const [message = ''] = tryCreate(validatingWebhookConfiguration, { webhooks: [webhook] }, '').messages
  assert.match(
    message,
    /^webhooks\[0\].matchConditions\[0\].expression: Invalid value: "object.a ==": compilation failed/,
  )
})
