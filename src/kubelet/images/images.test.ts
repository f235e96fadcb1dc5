import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import { InvalidImageName, parseImageName } from './image-name.ts'
import { pullCredentials } from './pull-secrets.ts'

test('image names', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  const cases: readonly [string, string][] = [
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:1.25', 'docker.io/library/nginx:1.25'],
    ['me/app', 'docker.io/me/app:latest'],
    ['localhost/app', 'localhost/app:latest'],
    ['registry.example:5000/a/b:v1', 'registry.example:5000/a/b:v1'],
    [`quay.io/x@${digest}`, `quay.io/x@${digest}`],
    [`quay.io/x:v@${digest}`, `quay.io/x:v@${digest}`],
  ]
  for (const [image, expected] of cases) assert.equal(parseImageName(image).reference, expected)
  for (const bad of ['', 'UPPER', 'a b', 'x:', 'x@sha256:1', '-a', 'a//b']) {
    assert.throws(() => parseImageName(bad), InvalidImageName, bad)
  }
})

function secretsOf(configs: Readonly<Record<string, object>>): PodObjects {
  return {
    async get(_resource, name) {
      const config = configs[name]
      if (config === undefined) return undefined
      const data = { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: config })).toString('base64') }
      return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data } as never
    },
    lookUp: async () => undefined,
    release() {},
  }
}

test('pull secrets: the most specific registry path first, others not at all', async () => {
  const basic = (text: string): string => Buffer.from(text).toString('base64')
  const objects = secretsOf({
    wide: { 'https://registry.example:5000/v2/': { auth: basic('u:p:x') }, '*.example.com': { auth: basic('a:b') } },
    narrow: {
      'registry.example:5000/team': { username: 'n', password: 'q' },
      'registry.example:5000/other': { auth: basic('z:z') },
    },
  })
  const pod = {
    spec: { containers: [], imagePullSecrets: [{ name: 'wide' }, { name: 'narrow' }, { name: 'gone' }] },
  } as unknown as Pod
  const { credentials, missing } = await pullCredentials(pod, 'registry.example:5000/team/app:1', objects)
  assert.deepEqual(credentials, [
    { serverAddress: 'registry.example:5000/team', username: 'n', password: 'q' },
    { serverAddress: 'registry.example:5000', username: 'u', password: 'p:x' },
  ])
  assert.deepEqual(missing, ['gone'])
  const wild = await pullCredentials(pod, 'eu.example.com/x', objects)
  assert.deepEqual(
    wild.credentials.map(({ username }) => username),
    ['a'],
  )
})
