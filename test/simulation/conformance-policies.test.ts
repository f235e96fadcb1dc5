import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { TestAnswer, TestServer } from '#apiserver/server.case.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { root, seen, webhookCluster } from './webhook-cluster.ts'

const merge = { 'content-type': 'application/merge-patch+json' }
const deployments = '/apis/apps/v1/namespaces/default/deployments'
const matchConstraints = {
  resourceRules: [
    { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] },
  ],
}

function deployment(name: string, replicas: number): object {
  const labels = { app: name }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  return { metadata: { name }, spec: { replicas, selector: { matchLabels: labels }, template } }
}

async function ok(answer: Promise<TestAnswer>): Promise<TestAnswer> {
  const given = await answer
  assert.ok(given.code < 300, given.object.message)
  return given
}

/** Creates a policy and a binding of it, and waits until the server judges by them. */
async function bind(server: TestServer, kind: 'validating' | 'mutating', policy: object): Promise<void> {
  const spec = { policyName: 'p', ...(kind === 'validating' && { validationActions: ['Deny'] }) }
  const policies = `${root}/${kind}admissionpolicies`
  const bindings = `${root}/${kind}admissionpolicybindings`
  await ok(
    server.call(`POST ${policies}`, { body: { metadata: { name: 'p' }, spec: { matchConstraints, ...policy } } }),
  )
  await ok(server.call(`POST ${bindings}`, { body: { metadata: { name: 'b' }, spec } }))
  await seen(server, bindings)
}

/** Everything that the API offers for a resource. */
async function operations(server: TestServer, plural: string, spec: object, hasStatus: boolean): Promise<void> {
  const path = `${root}/${plural}`
  assert.ok(JSON.stringify((await ok(server.call(`GET ${root}`))).object).includes(`"name":"${plural}"`))
  const watch = await server.watch(path)
  for (const name of ['a', 'b']) {
    await ok(server.call(`POST ${path}`, { body: { metadata: { name, labels: { l: 'x' } }, spec } }))
  }
  const { object } = await ok(server.call(`GET ${path}/a`))
  assert.equal((await ok(server.call(`GET ${path}`, { query: 'labelSelector=l%3Dx' }))).object.items.length, 2)
  const annotations = { patched: 'yes' }
  const patched = await ok(server.call(`PATCH ${path}/a`, { body: { metadata: { annotations } }, headers: merge }))
  assert.deepEqual(patched.object.metadata.annotations, annotations)
  const metadata = { ...patched.object.metadata, annotations: { updated: 'yes' } }
  await ok(server.call(`PUT ${path}/a`, { body: { ...object, metadata } }))
  if (hasStatus) {
    const status = { conditions: [{ type: 'X', status: 'True', reason: 'R', message: '', lastTransitionTime: time }] }
    const told = await ok(server.call(`PATCH ${path}/a/status`, { body: { status }, headers: merge }))
    assert.match(JSON.stringify(told.object.status), /"type":"X"/)
  }
  await ok(server.call(`DELETE ${path}/a`))
  await ok(server.call(`DELETE ${path}`, { query: 'labelSelector=l%3Dx' }))
  const events = await watch.take(hasStatus ? 7 : 6)
  assert.deepEqual(
    [events.slice(0, 3), events.slice(-2)],
    [
      ['ADDED a', 'ADDED b', 'MODIFIED a'],
      ['DELETED a', 'DELETED b'],
    ],
  )
}

const time = '2024-01-01T00:00:00Z'
const validating = 'apimachinery/validatingadmissionpolicy'
const mutating = 'apimachinery/mutatingadmissionpolicy'
const validations = [{ expression: 'object.spec.replicas > 1', messageExpression: "'wants replicas'" }]

async function refusesOneReplica(t: TestContext, policy: object): Promise<void> {
  const server = await webhookCluster(t)
  await bind(server, 'validating', policy)
  const refused = await server.call(`POST ${deployments}`, { body: deployment('one', 1) })
  assert.equal(refused.code, 422)
  assert.equal(
    refused.object.message,
    "deployments.apps \"one\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: wants replicas",
  )
  await ok(server.call(`POST ${deployments}`, { body: deployment('two', 2) }))
}

behaviour(validating, 'ValidatingAdmissionPolicy should validate against a Deployment', (t) =>
  refusesOneReplica(t, { validations }),
)

behaviour(validating, 'ValidatingAdmissionPolicy should allow expressions to refer variables.', (t) =>
  refusesOneReplica(t, {
    variables: [
      { name: 'replicas', expression: 'object.spec.replicas' },
      { name: 'isEnough', expression: 'variables.replicas > 1' },
    ],
    validations: [{ ...validations[0], expression: 'variables.isEnough' }],
  }),
)

behaviour(
  validating,
  'ValidatingAdmissionPolicy should support ValidatingAdmissionPolicy API operations',
  async (t) => {
    const server = await webhookCluster(t)
    await operations(server, 'validatingadmissionpolicies', { matchConstraints, validations }, true)
  },
)

behaviour(
  validating,
  'ValidatingAdmissionPolicy should support ValidatingAdmissionPolicyBinding API operations',
  async (t) => {
    const server = await webhookCluster(t)
    const spec = { policyName: 'p', validationActions: ['Deny'] }
    await operations(server, 'validatingadmissionpolicybindings', spec, false)
  },
)

const apply = (expression: string): object => ({
  reinvocationPolicy: 'Never',
  mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
})

behaviour(mutating, 'MutatingAdmissionPolicy should mutate a Deployment', async (t) => {
  const server = await webhookCluster(t)
  await bind(server, 'mutating', apply('Object{spec: Object.spec{replicas: object.spec.replicas + 100}}'))
  const made = await ok(server.call(`POST ${deployments}`, { body: deployment('d', 1) }))
  assert.equal(made.object.spec['replicas'], 101)
})

behaviour(mutating, 'MutatingAdmissionPolicy should mutate a Deployment with annotations', async (t) => {
  const server = await webhookCluster(t)
  const expression = 'Object{metadata: Object.metadata{annotations: {"my-foo-annotation": "myAnnotationValue"}}}'
  await bind(server, 'mutating', apply(expression))
  const made = await ok(server.call(`POST ${deployments}`, { body: deployment('d', 1) }))
  assert.equal(made.object.metadata.annotations?.['my-foo-annotation'], 'myAnnotationValue')
})

behaviour(mutating, 'MutatingAdmissionPolicy should support MutatingAdmissionPolicy API operations', async (t) => {
  const server = await webhookCluster(t)
  const spec = { matchConstraints, ...apply('Object{}') }
  await operations(server, 'mutatingadmissionpolicies', spec, false)
})

behaviour(
  mutating,
  'MutatingAdmissionPolicy should support MutatingAdmissionPolicyBinding API operations',
  async (t) => {
    const server = await webhookCluster(t)
    await operations(server, 'mutatingadmissionpolicybindings', { policyName: 'p' }, false)
  },
)
