import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { splitGroupVersion } from './catalog.ts'
import { decodeText } from './decode.ts'
import { kindNode } from './node.ts'

/** Objects with every field set, as Kubernetes itself writes them. */
const folder = join(import.meta.dirname, '../protobuf/testdata')

test('objects with every field set decode to themselves, without a complaint', () => {
  let seen = 0
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    const text = readFileSync(join(folder, file), 'utf8')
    const { apiVersion, kind } = JSON.parse(text) as { apiVersion?: string; kind?: string }
    const { group, version } = splitGroupVersion(apiVersion ?? '')
    const node = kindNode(group, version, kind ?? '')
    if (!node) continue
    seen++
    const { object, problems } = decodeText(node, text, 'Warn')
    assert.deepEqual(object, JSON.parse(text), file)
    assert.deepEqual(problems, [], file)
  }
  assert.ok(seen > 40, `only ${seen} objects were found`)
})
