import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configMap, testServer, type TestServer } from '../../server.case.ts'
import { mutatingAdmissionPolicy, validatingAdmissionPolicy } from './policy-plugins.ts'
import type { WebhookCaller } from '../../webhooks/webhook-caller.ts'
import { mutatingAdmissionWebhook, validatingAdmissionWebhook } from './webhook-plugins.ts'

const admission = [
  mutatingAdmissionPolicy,
  mutatingAdmissionWebhook,
  validatingAdmissionPolicy,
  validatingAdmissionWebhook,
]
const root = '/apis/admissionregistration.k8s.io/v1'
const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }]
const collection = '/api/v1/namespaces/default/configmaps'

function webhook(kind: 'Mutating' | 'Validating', more: object = {}): object {
  const hook = {
    name: 'a.example.com',
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    clientConfig: { url: 'https://hook.example.com/x' },
    rules,
    ...more,
  }
  return { kind: `${kind}WebhookConfiguration`, metadata: { name: kind.toLowerCase() }, webhooks: [hook] }
}

async function serverWith(callWebhook: WebhookCaller): Promise<TestServer> {
  const server = await testServer({ admission, callWebhook })
  await server.call('POST /api/v1/namespaces', { body: { metadata: { name: 'default' } } })
  return server
}

/** A webhook that answers each review in the same way. */
function answering(response: object): WebhookCaller {
  return (_target, body) => {
    const { request, apiVersion } = JSON.parse(body) as { request: { uid: string }; apiVersion: string }
    return Promise.resolve({ kind: 'AdmissionReview', apiVersion, response: { uid: request.uid, ...response } })
  }
}

const patch = Buffer.from(JSON.stringify([{ op: 'add', path: '/data', value: { by: 'hook' } }])).toString('base64')

test('a mutating webhook changes the object and may warn', async () => {
  const server = await serverWith(answering({ allowed: true, patch, patchType: 'JSONPatch', warnings: ['careful'] }))
  assert.equal(
    (await server.call(`POST ${root}/mutatingwebhookconfigurations`, { body: webhook('Mutating') })).code,
    201,
  )
  const made = await server.call(`POST ${collection}`, { body: configMap('a') })
  assert.deepEqual(made.object.data, { by: 'hook' })
  assert.match(made.headers['warning'] ?? '', /careful/)
  await server.close()
})

test('a validating webhook denies in its own words', async () => {
  const server = await serverWith(
    answering({ allowed: false, status: { message: 'not here', code: 409, reason: 'Conflict' } }),
  )
  await server.call(`POST ${root}/validatingwebhookconfigurations`, { body: webhook('Validating') })
  const refused = await server.call(`POST ${collection}`, { body: configMap('a') })
  assert.equal(refused.code, 409)
  assert.equal(refused.object.message, 'admission webhook "a.example.com" denied the request: not here')
  await server.close()
})

const failures: readonly (readonly [what: string, more: object, code: number])[] = [
  ['fails the request', {}, 500],
  ['is passed over where it may be', { failurePolicy: 'Ignore' }, 201],
  ['is not asked about other objects', { objectSelector: { matchLabels: { a: 'b' } } }, 201],
  [
    'is not asked when its conditions do not hold',
    { matchConditions: [{ name: 'x', expression: "object.metadata.name != 'a'" }] },
    201,
  ],
]
for (const [what, more, code] of failures) {
  test(`a webhook that cannot be reached ${what}`, async () => {
    const server = await serverWith(() => Promise.reject(new Error('connection refused')))
    await server.call(`POST ${root}/validatingwebhookconfigurations`, { body: webhook('Validating', more) })
    const answer = await server.call(`POST ${collection}`, { body: configMap('a') })
    assert.equal(answer.code, code)
    if (code === 500)
      assert.match(
        answer.object.message,
        /^Internal error occurred: failed calling webhook "a.example.com": failed to call webhook: connection refused$/,
      )
    await server.close()
  })
}

test('a policy denies by its expression, with the parameters of its binding', async () => {
  const server = await serverWith(answering({ allowed: true }))
  await server.call(`POST ${collection}`, { body: configMap('limits', { data: { max: '1' } }) })
  const policy = {
    metadata: { name: 'few' },
    spec: {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      matchConstraints: { resourceRules: rules },
      variables: [{ name: 'count', expression: 'has(object.data) ? size(object.data) : 0' }],
      validations: [
        {
          expression: 'variables.count <= int(params.data.max)',
          messageExpression: "'have ' + string(variables.count)",
        },
      ],
    },
  }
  await server.call(`POST ${root}/validatingadmissionpolicies`, { body: policy })
  const paramRef = { name: 'limits', namespace: 'default', parameterNotFoundAction: 'Deny' }
  const spec = { policyName: 'few', validationActions: ['Deny'], paramRef }
  await server.call(`POST ${root}/validatingadmissionpolicybindings`, { body: { metadata: { name: 'b' }, spec } })
  assert.equal((await server.call(`POST ${collection}`, { body: configMap('a', { data: { x: '' } }) })).code, 201)
  const refused = await server.call(`POST ${collection}`, { body: configMap('b', { data: { x: '', y: '' } }) })
  assert.match(refused.object.message, /'few' with binding 'b' denied request: have 2$/)
  await server.close()
})
