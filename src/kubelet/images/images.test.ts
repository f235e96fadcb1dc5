import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import { InvalidImageName, parseImageName } from './image-name.ts'
import { manualClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { readCredentialProviders } from './credential-provider-config.ts'
import { credentialProviders } from './credential-providers.ts'
import { dockerConfigCredentials } from './node-credentials.ts'
import { PullTurns } from './pull-turns.ts'
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
    follow: async () => Promise.reject(new Error('nothing is followed')),
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
  const auths = credentials.map(({ auth }) => auth)
  assert.deepEqual(auths, [
    { username: 'n', password: 'q' },
    { username: 'u', password: 'p:x' },
  ])
  assert.deepEqual(missing, ['gone'])
  const wild = await pullCredentials(pod, 'eu.example.com/x', objects)
  assert.deepEqual(
    wild.credentials.map(({ auth }) => auth.username),
    ['a'],
  )
})

async function folderWith(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'coracle-credentials-'))
  t.after(() => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o755 })
  return folder
}

test('docker configurations of the node are read anew for each pull', async (t) => {
  const folder = await folderWith(t, { '.dockercfg': '{"old.example": {"username": "o", "password": "p"}}' })
  const own = dockerConfigCredentials(['/nowhere', folder])
  assert.deepEqual(await own.of('new.example/x'), [])
  assert.equal((await own.of('old.example/x'))[0]?.username, 'o')
  await writeFile(join(folder, 'config.json'), '{"auths": {"new.example": {"auth": "YTpi"}}}')
  assert.deepEqual(await own.of('new.example/x'), [{ username: 'a', password: 'b' }])
})

const provider = `#!/bin/sh
echo run >> "$0.runs"
cat > "$0.request"
printf '{"kind":"CredentialProviderResponse","apiVersion":"credentialprovider.kubelet.k8s.io/v1","cacheKeyType":"Registry",'
printf '"cacheDuration":"%s","auth":{"registry.example/team":{"username":"%s","password":"q"}}}' "$1" "$WHO"
`
const providerConfig = (name: string): string => `
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: ${name}
  matchImages: ["registry.example", "*.example.com"]
  defaultCacheDuration: 1m
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  args: [10s]
  env: [{ name: WHO, value: me }]
`

test('a credential provider is asked once for a registry, until its answer is too old', async (t) => {
  const folder = await folderWith(t, { asker: provider, config: providerConfig('asker') })
  const clock = manualClock()
  const providers = await readCredentialProviders(join(folder, 'config'))
  const own = credentialProviders({ providers, folder, clock, log: silentLog })
  const expected = [{ username: 'me', password: 'q' }]
  assert.deepEqual(await own.of('registry.example/team/app:1'), expected)
  assert.deepEqual(await own.of('registry.example/team/other'), expected)
  assert.deepEqual(await own.of('registry.example/rest'), [])
  assert.deepEqual(await own.of('elsewhere/app'), [])
  const runs = (): Promise<string> => readFile(join(folder, 'asker.runs'), 'utf8')
  assert.equal(await runs(), 'run\n')
  assert.equal(JSON.parse(await readFile(join(folder, 'asker.request'), 'utf8')).image, 'registry.example/team/app')
  await clock.advance(11_000)
  await own.of('registry.example/team/app:1')
  assert.equal(await runs(), 'run\nrun\n')
})

test('credential providers: a wrong file stops the node, a wrong program only loses its credentials', async (t) => {
  const folder = await folderWith(t, {
    broken: '#!/bin/sh\nexit 3\n',
    config: providerConfig('broken'),
    empty: 'kind: Pod',
  })
  const providers = await readCredentialProviders(join(folder, 'config'))
  const own = credentialProviders({ providers, folder, clock: manualClock(), log: silentLog })
  assert.deepEqual(await own.of('registry.example/team/app'), [])
  await assert.rejects(
    readCredentialProviders(join(folder, 'empty')),
    /failed to load credential provider config file .*no kind "Pod"/,
  )
  await assert.rejects(readCredentialProviders(join(folder, 'missing')), /no such file/)
})

test('pulls run one after the other, or as many as allowed, and do not begin too often', async () => {
  const clock = manualClock()
  const turns = new PullTurns({ atOnce: 2, perSecond: 1, burst: 4 }, clock)
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>())
  let running = 0
  const pulls = gates.map((gate) =>
    turns.run(async () => {
      running++
      await gate.promise
    }),
  )
  await assert.rejects(
    turns.run(async () => undefined),
    /pull QPS exceeded/,
  )
  assert.equal(running, 2)
  gates[0]?.resolve()
  await pulls[0]
  await Promise.resolve()
  assert.equal(running, 3)
  for (const gate of gates) gate.resolve()
  await Promise.all(pulls)
  await clock.advance(1_000)
  await turns.run(async () => undefined)
})
