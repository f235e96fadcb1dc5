import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate, tryUpdate } from '../../kind-trial.case.ts'
import type { CustomResourceDefinition } from '../../types/apiextensions.v1.ts'
import { customResourceDefinition } from './custom-resource-definition.ts'

const text = { type: 'string' }
const openAPIV3Schema = {
  type: 'object',
  properties: { spec: { type: 'object', properties: { a: text, list: { type: 'array', items: text } } } },
}
const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }
const spec = {
  group: 'e.com',
  scope: 'Namespaced',
  names: { plural: 'ws', kind: 'W' },
  versions: [version],
}

function complaints(change: object, metadata: object = {}): readonly string[] {
  const manifest = { metadata: { name: 'ws.e.com', ...metadata }, spec: { ...spec, ...change } }
  return tryCreate(customResourceDefinition, manifest, '').messages
}

const label = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic"
const labelRule = `${label} character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`
const shown =
  '{"Name":"v1","Served":true,"Storage":false,"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null}'

const cases: readonly [object, readonly string[]][] = [
  [{}, []],
  [
    { names: { plural: 'ws', kind: 'W_', listKind: 'W_', shortNames: ['S'] } },
    [
      `spec.names.singular: Invalid value: "w_": ${labelRule}`,
      `spec.names.kind: Invalid value: "W_": may have mixed case, but should otherwise match: ${labelRule}`,
      `spec.names.listKind: Invalid value: "W_": may have mixed case, but should otherwise match: ${labelRule}`,
      `spec.names.shortNames[0]: Invalid value: "S": ${labelRule}`,
      'spec.names.listKind: Invalid value: "W_": kind and listKind may not be the same',
    ],
  ],
  [
    { versions: [{ ...version, storage: false }] },
    [
      `spec.versions: Invalid value: [${shown}]: must have exactly one version marked as storage version`,
      'status.storedVersions: Invalid value: null: must have at least one stored version',
    ],
  ],
  [
    { versions: [{ ...version, deprecationWarning: '' }] },
    [
      'spec.versions[0].deprecationWarning: Invalid value: "": can only be set for deprecated versions',
      'spec.versions[0].deprecationWarning: Invalid value: "": must not be an empty string',
    ],
  ],
  [
    { versions: [{ ...version, additionalPrinterColumns: [{ name: '', type: 'object', jsonPath: 'spec.a' }] }] },
    [
      'spec.additionalPrinterColumns[0].name: Required value',
      'spec.additionalPrinterColumns[0].type: Invalid value: "object": must be one of boolean,date,integer,number,string',
      'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "spec.a": must be a simple json path starting with .',
    ],
  ],
  [
    { versions: [{ ...version, subresources: { scale: { specReplicasPath: '.status.x', statusReplicasPath: '' } } }] },
    [
      'spec.subresources.scale.specReplicasPath: Invalid value: ".status.x": should be a json path under .spec',
      'spec.subresources.scale.statusReplicasPath: Required value',
    ],
  ],
  [
    {
      versions: [
        {
          ...version,
          selectableFields: [
            { jsonPath: '.spec.a' },
            { jsonPath: '.spec.a' },
            { jsonPath: '.metadata.name' },
            { jsonPath: '.spec.list' },
            { jsonPath: '.spec.b' },
          ],
        },
      ],
    },
    [
      'spec.selectableFields[1].jsonPath: Duplicate value: ".spec.a"',
      'spec.selectableFields[2].jsonPath: Invalid value: ".metadata.name": must not point to fields in metadata',
      'spec.selectableFields[3].jsonPath: Invalid value: ".spec.list": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
      'spec.selectableFields[4].jsonPath: Invalid value: ".spec.b": is an invalid path: does not refer to a valid field',
    ],
  ],
  [
    { conversion: { strategy: 'Webhook' } },
    [
      'spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook',
      'spec.conversion.conversionReviewVersions: Required value',
    ],
  ],
  [
    { conversion: { strategy: 'None', webhook: { conversionReviewVersions: ['v1'] } } },
    ['spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook'],
  ],
]

test('definitions are refused in the words of the API server', () => {
  for (const [change, expected] of cases) assert.deepEqual(complaints(change), expected)
})

test('a version that objects may be stored in stays', () => {
  const created = tryCreate(customResourceDefinition, { metadata: { name: 'ws.e.com' }, spec }, '')
  const { object } = tryUpdate<CustomResourceDefinition>(customResourceDefinition, created, (draft) => {
    const [only] = draft.spec.versions
    if (only !== undefined) only.name = 'v2'
    draft.spec.group = 'f.com'
  })
  const errors = customResourceDefinition.validateUpdate?.(object, created.object) ?? []
  assert.deepEqual(
    errors.map(({ field, message }) => `${field}: ${message.slice(0, 60)}`),
    [
      'spec.group: Invalid value: "f.com": field is immutable',
      'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was prev',
    ],
  )
})
