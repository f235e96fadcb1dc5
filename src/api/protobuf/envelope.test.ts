import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KubernetesProtobuf } from './envelope.ts'
import { ProtobufError } from './wire-reader.ts'

const codec = new KubernetesProtobuf()

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', annotations: { __proto__x: '1', é: '日本' } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'c', resources: { limits: { cpu: '100m' } }, ports: [{ containerPort: 80 }] }],
    volumes: [{ name: 'e', emptyDir: {} }],
    tolerations: [{ key: 'k', tolerationSeconds: -1 }],
  },
}

test('decode() keeps zeros that were meant, empty messages and negative numbers', () => {
  assert.deepEqual(codec.decode(codec.encode(pod)), pod)
})

test('decode() takes a map key called __proto__ as data', () => {
  const data = JSON.parse('{"__proto__":"x"}') as object
  const decoded = codec.decode(codec.encode({ apiVersion: 'v1', kind: 'ConfigMap', data } as object))
  assert.deepEqual(Object.keys(decoded['data'] as object), ['__proto__'])
  assert.equal(({} as Record<string, unknown>)['x'], undefined)
})

test('decode() leaves out zeros of fields that are no pointers', () => {
  const zero = { apiVersion: 'v1', kind: 'Pod', spec: { hostNetwork: false, nodeName: '', containers: [] } }
  assert.deepEqual(codec.decode(codec.encode(zero)), { apiVersion: 'v1', kind: 'Pod', spec: {} })
})

test('decode() refuses damaged bytes with a typed error and nothing else', () => {
  const good = codec.encode(pod)
  const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(damage, fc.nat(good.length), (changes, length) => {
      const bytes = Buffer.from(good)
      for (const [at, value] of changes) bytes[at] = value
      try {
        codec.decode(bytes.subarray(0, Math.max(length, 8)))
      } catch (error) {
        assert.ok(error instanceof ProtobufError, String(error))
      }
    }),
    { numRuns: 500 },
  )
})
