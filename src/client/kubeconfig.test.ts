import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { accessFrom, clusterIn, inClusterAccess, KubeconfigError, readKubeconfig } from './kubeconfig.ts'

function directoryWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'coracle-kubeconfig-'))
  t.after(() => rmSync(directory, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  return directory
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

const config = `
apiVersion: v1
kind: Config
current-context: here
clusters:
- name: c
  cluster:
    server: https://10.0.0.1:6443
    certificate-authority-data: ${base64('the CA')}
- name: open
  cluster: {server: "https://10.0.0.2", insecure-skip-tls-verify: true, tls-server-name: k8s}
users:
- name: u
  user: {client-certificate: cert.pem, client-key-data: ${base64('the key')}}
- name: t
  user: {token: secret}
- name: plugin
  user: {exec: {command: aws}}
contexts:
- name: here
  context: {cluster: c, user: u, namespace: shop}
- name: there
  context: {cluster: open, user: t}
- name: bad
  context: {cluster: gone, user: u}
- name: plugged
  context: {cluster: c, user: plugin}
`

test('the current context, with material embedded and in files', (t) => {
  const directory = directoryWith(t, { 'cert.pem': 'the certificate', config })
  assert.deepEqual(readKubeconfig(join(directory, 'config')), {
    server: 'https://10.0.0.1:6443',
    namespace: 'shop',
    ca: 'the CA',
    certificate: 'the certificate',
    key: 'the key',
  })
})

test('another context, with a token and no verification', () => {
  const { token, ...access } = accessFrom(config, { context: 'there', directory: '/' })
  assert.deepEqual(access, {
    server: 'https://10.0.0.2',
    namespace: 'default',
    tlsServerName: 'k8s',
    insecureSkipTlsVerify: true,
  })
  assert.equal(token?.({ refresh: false }), 'secret')
})

const refusals: readonly [text: string, context: string | undefined, message: RegExp][] = [
  [config, 'nowhere', /no context named "nowhere"/],
  [config, 'bad', /no cluster named "gone"/],
  [config, 'plugged', /"exec", which is not supported/],
  ['kind: Config', undefined, /no current context/],
  ['[]', undefined, /not a map of fields/],
]

for (const [text, context, message] of refusals) {
  test(`refused: ${message.source}`, () => {
    const read = (): unknown => accessFrom(text, { directory: '/', ...(context === undefined ? {} : { context }) })
    assert.throws(read, (error: Error) => error instanceof KubeconfigError && message.test(error.message))
  })
}

test('in a pod: environment and mounted files; the token is read again when refused', async (t) => {
  const directory = directoryWith(t, { token: 'one\n', namespace: 'kube-system', 'ca.crt': 'CA' })
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }
  const access = inClusterAccess(environment, directory)
  assert.equal(access.server, 'https://[fd00::1]:443')
  assert.equal(access.namespace, 'kube-system')
  assert.equal(await access.token?.({ refresh: false }), 'one')
  writeFileSync(join(directory, 'token'), 'two')
  assert.equal(await access.token?.({ refresh: false }), 'one')
  assert.equal(await access.token?.({ refresh: true }), 'two')
  assert.throws(() => inClusterAccess({}, directory), KubeconfigError)
})

test('clusterIn() needs neither user nor context, and reads no file', () => {
  const data = Buffer.from('CA').toString('base64')
  const cluster = (fields: string): string => `clusters:\n- name: ""\n  cluster: { server: "https://a:1", ${fields} }`
  assert.deepEqual(clusterIn(cluster(`certificate-authority-data: ${data}`)), { server: 'https://a:1', ca: 'CA' })
  assert.deepEqual(clusterIn(cluster('certificate-authority: /etc/passwd')), { server: 'https://a:1' })
  assert.equal(clusterIn('clusters: []'), undefined)
})
