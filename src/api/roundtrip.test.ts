/**
 * Goal: what Kubernetes writes, we read without a loss and write again byte for byte. Method: its own golden objects with
 * every field set, in JSON, YAML and protobuf.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatYaml, parseYaml } from '#lib/yaml.ts'
import { KubernetesProtobuf } from './protobuf/envelope.ts'
import { roundtripObjects } from './roundtrip-objects.case.ts'
import { builtInCatalog, splitGroupVersion } from './schema/catalog.ts'
import { decodeText } from './schema/decode.ts'
import { kindNode } from './schema/node.ts'

const codec = new KubernetesProtobuf()
const all = roundtripObjects()
const typed = all.filter(({ apiVersion, kind }) => codec.supports(apiVersion, kind))

test('every object is the same in JSON and YAML, both ways', () => {
  assert.equal(all.length, 139)
  for (const { name, json, yaml } of all) {
    assert.equal(`${JSON.stringify(JSON.parse(json), undefined, 2)}`, json.trimEnd(), name)
    assert.equal(formatYaml(JSON.parse(json)), yaml, name)
    assert.deepEqual(parseYaml(yaml).value, JSON.parse(json), name)
  }
})

test('every object of a served version is decoded by its schema, without a complaint and in the same order', () => {
  for (const { name, apiVersion, kind, json } of typed) {
    const { group, version } = splitGroupVersion(apiVersion)
    const node = kindNode(group, version, kind)
    assert.ok(node, name)
    const { object, problems } = decodeText(node, json, 'Strict')
    assert.deepEqual(problems, [], name)
    assert.equal(JSON.stringify(object, undefined, 2), json.trimEnd(), name)
  }
})

test('every object of a served version has the same bytes in protobuf, from JSON and from themselves', () => {
  for (const { name, json, protobuf } of typed) {
    const decoded = codec.decode(protobuf)
    assert.deepEqual(decoded, JSON.parse(json), name)
    assert.ok(codec.encode(JSON.parse(json) as object).equals(protobuf), `${name} from JSON`)
    assert.ok(codec.encode(decoded).equals(protobuf), `${name} from protobuf`)
  }
})

test('only what no served version has is left out', () => {
  const served = new Set(builtInCatalog().resources.map(({ group, version, kind }) => `${group}/${version}/${kind}`))
  const left = all.filter((object) => !typed.includes(object))
  const missing = left.filter(({ apiVersion, kind }) => {
    const { group, version } = splitGroupVersion(apiVersion)
    return served.has(`${group}/${version}/${kind}`)
  })
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
  )
  assert.equal(typed.length, 57)
})
