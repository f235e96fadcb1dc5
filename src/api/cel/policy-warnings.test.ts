import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kindNode } from '../schema/node.ts'
import type { ValidatingAdmissionPolicy } from '../types/admissionregistration.v1.ts'
import { typeOfNode, typeOfSchema } from './kind-type.ts'
import { policyWarnings, type PolicyKind } from './policy-warnings.ts'

const kinds: readonly PolicyKind[] = [
  ...['Deployment', 'StatefulSet'].map((kind) => ({
    group: 'apps',
    version: 'v1',
    plural: `${kind.toLowerCase()}s`,
    kind,
    type: () => typeOfNode(kindNode('apps', 'v1', kind)!),
  })),
  {
    group: 'a.example',
    version: 'v1',
    plural: 'tabs',
    kind: 'Tab',
    type: () => typeOfSchema({ type: 'object', properties: { size: { type: 'integer' } } }, 'Tab'),
  },
]

function policy(resources: readonly string[], expression: string, more: object = {}): ValidatingAdmissionPolicy {
  const rule = { apiGroups: ['apps', 'a.example'], apiVersions: ['v1'], operations: ['CREATE'], resources }
  const spec = { matchConstraints: { resourceRules: [rule] }, validations: [{ expression }], ...more }
  return { metadata: { name: 'p' }, spec } as unknown as ValidatingAdmissionPolicy
}

const fieldRef = 'spec.validations[0].expression'
const rows: readonly (readonly [what: string, policy: ValidatingAdmissionPolicy, ...warnings: string[]])[] = [
  ['fields that are there', policy(['deployments'], 'object.spec.replicas > 1 && object.metadata.labels.x == "y"')],
  [
    'a field that is not there',
    policy(['deployments'], 'object.replicas > 1'),
    "apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^",
  ],
  [
    'a field that one of two kinds has',
    policy(['deployments', 'statefulsets'], 'object.spec.serviceName == "x"'),
    'apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field \'serviceName\'\n | object.spec.serviceName == "x"\n | ...........^',
  ],
  [
    'a value of another type, in a custom resource',
    policy(['tabs'], 'object.size == "x"'),
    "a.example/v1, Kind=Tab: ERROR: <input>:1:13: found no matching overload for '_==_' applied to '(int, string)'\n | object.size == \"x\"\n | ............^",
  ],
  ['a rule that names no kind', policy(['*'], 'object.replicas > 1')],
  [
    'variables',
    policy(['deployments'], 'variables.n > 1', { variables: [{ name: 'n', expression: 'object.metadata.name' }] }),
    "apps/v1, Kind=Deployment: ERROR: <input>:1:13: found no matching overload for '_>_' applied to '(string, int)'\n | variables.n > 1\n | ............^",
  ],
]
for (const [what, one, ...warnings] of rows) {
  test(`type checking: ${what}`, () => {
    assert.deepEqual(
      policyWarnings(one, kinds),
      warnings.map((warning) => ({ fieldRef, warning })),
    )
  })
}
