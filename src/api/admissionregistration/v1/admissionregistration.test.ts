import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate } from '../../kind-trial.case.ts'
import type { MutatingWebhookConfiguration, ValidatingAdmissionPolicy } from '../../types/admissionregistration.v1.ts'
import { validatingAdmissionPolicyBinding } from './admission-policy-binding.ts'
import { validatingAdmissionPolicy } from './admission-policy.ts'
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
