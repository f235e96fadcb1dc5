import { defineKind } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { invalidValue } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { ConfigMap } from '../../types/core.v1.ts'
import { validateDataKeys, validateDataSize, validateImmutability } from './config-data.ts'

export const configMap = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  hasGeneration: false,
  validate: validateConfigMap,
  validateUpdate: (now, old) => [...validateImmutability(now, old, ['data', 'binaryData']), ...validateConfigMap(now)],
  validatesUpdateAlone: true,
  cells: ({ metadata, data, binaryData }, nowMs) => [
    metadata.name,
    Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    ageOf(metadata.creationTimestamp, nowMs),
  ],
})

function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const errors: FieldError[] = []
  for (const key of Object.keys(data)) {
    errors.push(...validateDataKeys({ [key]: '' }, 'data'))
    if (Object.hasOwn(binaryData, key))
      errors.push(invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData'))
  }
  let bytes = 0
  for (const value of Object.values(data)) bytes += Buffer.byteLength(value)
  for (const value of Object.values(binaryData)) bytes += Buffer.byteLength(value, 'base64')
  return [...errors, ...validateDataKeys(binaryData, 'binaryData'), ...validateDataSize(bytes, '[]')]
}
