import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  MutatingAdmissionPolicy,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '#api/types/admissionregistration.v1.ts'
import type { ConfigMap } from '#api/types/core.v1.ts'
import {
  configMaps,
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
  namespaces,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
} from '#api/types/resources.ts'
import { smallCluster } from './small-cluster.ts'

const ruleFor = (group: string, resource: string): object => ({
  resourceRules: [{ apiGroups: [group], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: [resource] }],
})

test('the status of a policy tells what its expressions get wrong', async (t) => {
  const { client, until, informers } = await smallCluster(t)
  const make = async (name: string, expression: string): Promise<ValidatingAdmissionPolicy> =>
    client.resource(validatingAdmissionPolicies).create({
      metadata: { name },
      spec: { matchConstraints: ruleFor('apps', 'deployments'), validations: [{ expression }] },
    } as Parameters<ReturnType<typeof client.resource<ValidatingAdmissionPolicy>>['create']>[0])
  await make('good', 'object.spec.replicas < 5')
  await make('bad', 'object.replicas > 1')
  const statusOf = (name: string): ValidatingAdmissionPolicy['status'] =>
    informers.of(validatingAdmissionPolicies).get(name)?.status
  await until('both are looked at', () => statusOf('good') !== undefined && statusOf('bad')?.typeChecking !== undefined)
  assert.deepEqual(statusOf('good'), { observedGeneration: 1, typeChecking: {} })
  const warning =
    "apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^"
  assert.deepEqual(statusOf('bad'), {
    observedGeneration: 1,
    typeChecking: { expressionWarnings: [{ fieldRef: 'spec.validations[0].expression', warning }] },
  })
})

test('a policy with variables, messages and warnings judges what its binding selects', async (t) => {
  const { client } = await smallCluster(t)
  await client.resource(namespaces).create({ metadata: { name: 'judged', labels: { judge: 'yes' } } } as never)
  await client.resource(namespaces).create({ metadata: { name: 'free' } } as never)
  await client.resource(validatingAdmissionPolicies).create({
    metadata: { name: 'keys' },
    spec: {
      matchConstraints: ruleFor('', 'configmaps'),
      matchConditions: [{ name: 'not-system', expression: "!object.metadata.name.startsWith('kube-')" }],
      variables: [{ name: 'keys', expression: 'has(object.data) ? object.data.map(k, k) : []' }],
      validations: [
        {
          expression: 'variables.keys.size() < 2',
          messageExpression: "'too many: ' + variables.keys.join(',')",
          reason: 'Forbidden',
        },
      ],
    },
  } as never)
  const binding = { policyName: 'keys', matchResources: { namespaceSelector: { matchLabels: { judge: 'yes' } } } }
  await client.resource(validatingAdmissionPolicyBindings).create({
    metadata: { name: 'b' },
    spec: { ...binding, validationActions: ['Deny'] },
  } as unknown as ValidatingAdmissionPolicyBinding)
  const put = (namespace: string, name: string, data: Record<string, string>): Promise<ConfigMap> =>
    client.resource(configMaps, namespace).create({ metadata: { name, namespace }, data } as never)
  await put('free', 'a', { x: '', y: '' })
  await put('judged', 'a', { x: '' })
  await put('judged', 'kube-root', { x: '', y: '' })
  await assert.rejects(put('judged', 'b', { x: '', y: '' }), {
    message:
      "configmaps \"b\" is forbidden: ValidatingAdmissionPolicy 'keys' with binding 'b' denied request: too many: x,y",
  })
})

test('a mutating policy applies a configuration and a patch', async (t) => {
  const { client } = await smallCluster(t)
  await client.resource(namespaces).create({ metadata: { name: 'n' } } as never)
  const apply = 'Object{metadata: Object.metadata{labels: {"by": "policy"}}}'
  const patch = `[JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("a/b"), value: "c"}]`
  await client.resource(mutatingAdmissionPolicies).create({
    metadata: { name: 'label' },
    spec: {
      matchConstraints: ruleFor('', 'configmaps'),
      failurePolicy: 'Fail',
      reinvocationPolicy: 'IfNeeded',
      mutations: [
        { patchType: 'ApplyConfiguration', applyConfiguration: { expression: apply } },
        { patchType: 'JSONPatch', jsonPatch: { expression: patch } },
      ],
    },
  } as unknown as MutatingAdmissionPolicy)
  await client
    .resource(mutatingAdmissionPolicyBindings)
    .create({ metadata: { name: 'b' }, spec: { policyName: 'label' } } as never)
  const made = await client
    .resource(configMaps, 'n')
    .create({ metadata: { name: 'a', namespace: 'n', labels: { own: '1' } } } as never)
  assert.deepEqual(made.metadata.labels, { own: '1', by: 'policy', 'a/b': 'c' })
})
