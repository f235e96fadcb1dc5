import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { invalidValue, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { Secret } from '../../types/core.v1.ts'
import { keyPairWarnings } from './key-pair-warnings.ts'
import { jsonObjectProblem } from './json-object-problem.ts'
import { validateDataKeys, validateDataSize, validateFixed, validateImmutability } from './config-data.ts'

export const secret = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  hasGeneration: false,
  setDefaults(draft) {
    draft.type ||= 'Opaque'
    moveStringData(draft)
  },
  /** An update without a type keeps the old one. */
  prepareForUpdate(draft, old) {
    draft.type ||= old.type
  },
  validate: validateSecret,
  validateUpdate: (now, old) => [
    ...validateFixed(now.type, old.type, 'type'),
    ...validateImmutability(now, old, ['data']),
    ...validateSecret(now),
  ],
  validatesUpdateAlone: true,
  warnings: ({ type, data }) => (type === 'kubernetes.io/tls' ? keyPairWarnings(data ?? {}) : []),
  cells: ({ metadata, type, data }, nowMs) => [
    metadata.name,
    type,
    Object.keys(data ?? {}).length,
    ageOf(metadata.creationTimestamp, nowMs),
  ],
  selectableFields: ({ type }) => ({ type: type ?? '' }),
})

/** `stringData` is for writing only: it becomes part of `data`. */
function moveStringData(draft: Draft<Secret>): void {
  if (draft.stringData === undefined) return
  const encoded = Object.entries(draft.stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')])
  draft.data = { ...draft.data, ...Object.fromEntries(encoded) }
  delete draft.stringData
}

/** Keys that a type of secret must have. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
}

function validateSecret(secret: Secret): FieldError[] {
  const { data = {}, type = '' } = secret
  const errors = validateDataKeys(data, 'data')
  let bytes = 0
  for (const value of Object.values(data)) bytes += Buffer.byteLength(value, 'base64')
  errors.push(...validateDataSize(bytes, 'data'))
  if (type === 'kubernetes.io/service-account-token') {
    const name = secret.metadata.annotations?.['kubernetes.io/service-account.name'] ?? ''
    if (name === '') errors.push(required('metadata.annotations[kubernetes.io/service-account.name]'))
  }
  if (type === 'kubernetes.io/basic-auth' && !('username' in data) && !('password' in data)) {
    errors.push(required('data[username]'), required('data[password]'))
  }
  for (const key of requiredKeys[type] ?? []) {
    const isMissing = type === 'kubernetes.io/ssh-auth' ? (data[key] ?? '') === '' : !Object.hasOwn(data, key)
    if (isMissing) errors.push(required(`data[${key}]`))
    else if (key.startsWith('.docker')) errors.push(...validateJson(data[key] ?? '', `data[${key}]`))
  }
  return errors
}

/** The content must be a JSON object; the message is that of the API server's JSON reader. */
function validateJson(encoded: string, path: string): FieldError[] {
  const why = jsonObjectProblem(Buffer.from(encoded, 'base64').toString())
  return why === undefined ? [] : [invalidValue(path, '<secret contents redacted>', why)]
}
