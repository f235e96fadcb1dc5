import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate } from '../../kind-trial.case.ts'
import { short } from '../../short-messages.case.ts'
import { configMap } from './config-map.ts'
import { secret } from './secret.ts'

const secretCases: readonly (readonly [object, readonly string[]])[] = [
  [{ type: 'kubernetes.io/tls' }, ['data[tls.crt]: Required value', 'data[tls.key]: Required value']],
  [{ type: 'kubernetes.io/ssh-auth' }, ['data[ssh-privatekey]: Required value']],
  [{ type: 'kubernetes.io/basic-auth' }, ['data[username]: Required value', 'data[password]: Required value']],
  [{ type: 'kubernetes.io/dockerconfigjson' }, ['data[.dockerconfigjson]: Required value']],
  [{ type: 'kubernetes.io/dockercfg' }, ['data[.dockercfg]: Required value']],
  [
    { type: 'kubernetes.io/service-account-token' },
    ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
  ],
  [
    { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': 'eA==' } },
    [
      `data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid character 'x' looking for beginning of value`,
    ],
  ],
  [
    { data: { 'a b': '', '..': '' } },
    ['data[a b]: Invalid value: "a b": (valid config key)', `data[..]: Invalid value: "..": must not be '..'`],
  ],
]

test('secrets of each type', () => {
  for (const [manifest, expected] of secretCases)
    assert.deepEqual(short(tryCreate(secret, manifest).messages), expected)
})

const configurationCases: readonly (readonly [object, readonly string[]])[] = [
  [
    { data: { 'a/b': '', c: '1' }, binaryData: { c: '' } },
    [
      'data[a/b]: Invalid value: "a/b": (valid config key)',
      'data[c]: Invalid value: "c": duplicate of key present in binaryData',
    ],
  ],
]

test('configuration', () => {
  for (const [manifest, expected] of configurationCases)
    assert.deepEqual(short(tryCreate(configMap, manifest).messages), expected)
})
