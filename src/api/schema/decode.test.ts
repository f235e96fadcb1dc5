import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeBody, decodeText, decodeValue, parseJson, type FieldValidation } from './decode.ts'
import { applySchemaDefaults } from './defaults.ts'
import { kindNode, schemaNode, type ObjectNode } from './node.ts'

const podNode = kindNode('', 'v1', 'Pod') as ObjectNode
const configMapNode = kindNode('', 'v1', 'ConfigMap') as ObjectNode
const deploymentNode = kindNode('apps', 'v1', 'Deployment') as ObjectNode
const pod = { kind: 'Pod', version: 'v1', node: podNode }
const configMap = { kind: 'ConfigMap', version: 'v1', node: configMapNode }

function messageOf(target: typeof pod, body: unknown, fieldValidation: FieldValidation = 'Warn'): string {
  try {
    decodeBody(target, typeof body === 'string' ? body : JSON.stringify(body), fieldValidation)
    return 'accepted'
  } catch (error) {
    return (error as Error).message
  }
}

test('scalars become canonical; nulls, empty collections and unknown fields go', () => {
  const text = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    bogus: { a: 1 },
    metadata: {
      name: 'p',
      creationTimestamp: null,
      labels: {},
      annotations: { a: null },
      deletionTimestamp: '2024-01-01T01:00:00+01:00',
    },
    spec: {
      containers: [{ name: 'c', command: [], resources: { limits: { cpu: 0.5, memory: '1024Mi' } } }],
      nodeSelector: {},
      hostPID: false,
      hostname: '',
      runtimeClassName: '',
      terminationGracePeriodSeconds: 0,
      hostNetwork: true,
    },
  })
  const wanted = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', annotations: { a: '' }, deletionTimestamp: '2024-01-01T00:00:00Z' },
    spec: {
      containers: [{ name: 'c', resources: { limits: { cpu: '500m', memory: '1Gi' } } }],
      hostNetwork: true,
      runtimeClassName: '',
      terminationGracePeriodSeconds: 0,
    },
  }
  assert.deepEqual(decodeText(podNode, text).object, wanted)
  const value = Object.freeze(JSON.parse(text))
  assert.deepEqual(decodeValue(podNode, value).object, wanted)
  assert.deepEqual(value, JSON.parse(text))
})

test('problems are found, warned of, or refused', () => {
  const body =
    '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","bogusMeta":1},"spec":{"containers":[{"name":"c","imagee":"y","resources":{"limitz":{}}}],"nodeName2":"q"},"extra":true}'
  const list =
    'unknown field "metadata.bogusMeta", unknown field "spec.containers[0].imagee", unknown field "spec.containers[0].resources.limitz", unknown field "spec.nodeName2", unknown field "extra"'
  assert.equal(
    messageOf(pod, body, 'Strict'),
    `Pod in version "v1" cannot be handled as a Pod: strict decoding error: ${list}`,
  )
  assert.equal(decodeBody(pod, body, 'Warn').warnings.join(', '), list)
  assert.deepEqual(decodeBody(pod, body, 'Ignore').warnings, [])
  assert.equal(decodeBody(pod, JSON.parse(body) as object, 'Warn').warnings.join(', '), list)
  const repeated = '{"kind":"ConfigMap","metadata":{"name":"d2","labels":{"a":"1","a":"2"}},"data":{"k":"1:{","k":"2"}}'
  assert.deepEqual(decodeBody(configMap, repeated, 'Warn').warnings, [
    'duplicate field "metadata.labels.a"',
    'duplicate field "data.k"',
  ])
  assert.deepEqual(decodeBody(configMap, '{"data":{"a\\":\\\\":"x"}}', 'Warn').warnings, [])
})

const typeErrors: readonly (readonly [unknown, string])[] = [
  [
    { metadata: { labels: { a: 1 } } },
    'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
  ],
  [
    { spec: { containers: {} } },
    'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
  ],
  [
    { spec: { containers: [{ env: [{ name: 'a', value: 5 }] }] } },
    'json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string',
  ],
  [
    { spec: { priority: 'x' } },
    'json: cannot unmarshal string into Go struct field PodSpec.spec.priority of type int32',
  ],
  [
    { spec: { priority: 1.5 } },
    'json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.priority of type int32',
  ],
  [
    { spec: { priority: 3_000_000_000 } },
    'json: cannot unmarshal number 3000000000 into Go struct field PodSpec.spec.priority of type int32',
  ],
  [{ spec: 'x' }, 'json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec'],
  [
    { spec: { hostNetwork: 'yes' } },
    'json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool',
  ],
  [[], 'json: cannot unmarshal array into Go value of type v1.Pod'],
  [
    { spec: { containers: [{ resources: { limits: { cpu: 'abc' } } }] } },
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
  [
    { metadata: { creationTimestamp: 'yesterday' } },
    'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
  ],
]

test('a wrong type is refused in the words of the API server', () => {
  for (const [body, why] of typeErrors) {
    assert.equal(messageOf(pod, body), `Pod in version "v1" cannot be handled as a Pod: ${why}`)
    assert.throws(() => decodeBody(pod, body as object, 'Ignore'), {
      message: `Pod in version "v1" cannot be handled as a Pod: ${why}`,
    })
  }
  assert.match(
    messageOf(configMap, { data: { n: 1 } }),
    /json: cannot unmarshal number into Go struct field ConfigMap.data of type string/,
  )
  assert.match(messageOf(configMap, { binaryData: { n: '%' } }), /illegal base64 data at input byte 0/)
})

test('text that is no JSON is refused', () => {
  const table: readonly (readonly [string, string])[] = [
    ['', 'unexpected end of JSON input'],
    ['{"a"', 'unexpected end of JSON input'],
    ['{"data":', 'unexpected end of JSON input'],
    ['x', "invalid character 'x' looking for beginning of value"],
    ['\u001fx', String.raw`invalid character '\x1f' looking for beginning of value`],
    ['\\', String.raw`invalid character '\\' looking for beginning of value`],
    ["'", String.raw`invalid character '\'' looking for beginning of value`],
    ['é', "invalid character 'Ã' looking for beginning of value"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ['"\\x"', "invalid character 'x' in string escape code"],
  ]
  for (const [text, message] of table) assert.throws(() => parseJson(text), { name: 'DecodeError', message }, text)
})

test('deep values are refused, and no prototype is touched', () => {
  const deep = `${'{"properties":{"a":'.repeat(5000)}{}${'}}'.repeat(5000)}`
  const schema = schemaNode('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')
  assert.throws(() => decodeText(schema, deep), /exceeded max depth/)
  const unknown = `{"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
  assert.throws(() => decodeText(podNode, unknown), /exceeded max depth/)
  const text =
    '{"__proto__":{"polluted":1},"metadata":{"labels":{"__proto__":"x"},"__proto__":{"a":1}},"data":{"__proto__":"y"}}'
  const { object } = decodeText<{ metadata: { labels: object }; data: object }>(configMapNode, text)
  const copied = decodeValue<{ metadata: object; data: object }>(configMapNode, JSON.parse(text)).object
  for (const each of [object, copied, object.metadata, object.metadata.labels, object.data, copied.data]) {
    assert.equal(Object.getPrototypeOf(each), Object.prototype)
  }
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
  assert.equal(JSON.stringify(copied.data), '{"__proto__":"y"}')
})

test('any value decodes or is refused with a DecodeError; decoding again changes nothing', () => {
  const names = fc.constantFrom(
    'metadata',
    'spec',
    'containers',
    'name',
    'labels',
    'resources',
    'limits',
    'cpu',
    'env',
    'x',
    '__proto__',
    'constructor',
  )
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, 1, 'x', '5m', true),
      fc.dictionary(names, tie('tree')),
      fc.array(tie('tree'), { maxLength: 3 }),
    ),
  }))
  fc.assert(
    fc.property(tree, (value) => {
      const text = JSON.stringify(value)
      try {
        const { object } = decodeText(podNode, text, 'Warn')
        const again = JSON.stringify(object)
        assert.equal(JSON.stringify(decodeText(podNode, again).object), again)
        assert.equal(JSON.stringify(decodeValue(podNode, JSON.parse(text)).object), again)
      } catch (error) {
        assert.equal((error as Error).name, 'DecodeError', String((error as Error).stack))
      }
    }),
  )
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        decodeText(podNode, text, 'Strict')
      } catch (error) {
        assert.equal((error as Error).name, 'DecodeError')
      }
    }),
  )
})

test('schema defaults fill drafts once', () => {
  const draft = { spec: { template: { spec: { containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] } } } }
  applySchemaDefaults(deploymentNode, draft)
  const once = structuredClone(draft)
  applySchemaDefaults(deploymentNode, draft)
  assert.deepEqual(draft, once)
  assert.deepEqual(once, {
    metadata: {},
    status: {},
    spec: {
      strategy: {},
      template: {
        metadata: {},
        spec: { containers: [{ name: 'c', ports: [{ containerPort: 80, protocol: 'TCP' }], resources: {} }] },
      },
    },
  })
})
