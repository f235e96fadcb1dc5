import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kindMismatch } from './kind-mismatch.ts'

const configMap = { group: '', version: 'v1', kind: 'ConfigMap' }
const event = { group: '', version: 'v1', kind: 'Event' }
const inScheme = 'in scheme "pkg/api/legacyscheme/scheme.go:30"'

const rows = [
  ['v1', 'ConfigMap', configMap, undefined],
  ['v2', 'ConfigMap', configMap, `no kind "ConfigMap" is registered for version "v2" ${inScheme}`],
  ['v1', 'Foo', configMap, `no kind "Foo" is registered for version "v1" ${inScheme}`],
  ['v1', 'Secret', configMap, 'converting (v1.Secret) to (core.ConfigMap): unknown conversion'],
  ['apps/v1', 'Deployment', configMap, 'converting (v1.Deployment) to (core.ConfigMap): unknown conversion'],
  ['events.k8s.io/v1', 'Event', event, undefined],
] as const

for (const [apiVersion, kind, wanted, expected] of rows) {
  test(`${apiVersion} ${kind} as ${wanted.kind}: ${expected ?? 'fits'}`, () => {
    assert.equal(kindMismatch({ apiVersion, kind }, wanted), expected)
  })
}
