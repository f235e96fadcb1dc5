import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { admissionPlugins } from '#apiserver/admission/plugins.ts'
import { testServer, type TestServer } from '#apiserver/server.case.ts'
import { httpsWebhookCaller, type WebhookCaller } from '#apiserver/webhooks/webhook-caller.ts'
import type { HttpsExtension } from './https-extension.ts'

export const root = '/apis/admissionregistration.k8s.io/v1'
export const collection = '/api/v1/namespaces/default/configmaps'
const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }]

/** Where a pod of a Service answers; no endpoint may be on loopback, where the servers of these tests are. */
export const podAddress = '10.1.2.3'

/** An API server with every admission plugin for webhooks and policies, and a namespace. */
export async function webhookCluster(t: TestContext): Promise<TestServer> {
  const wanted = admissionPlugins.filter(({ name }) => /Webhook|Policy$/.test(name))
  const call = httpsWebhookCaller()
  const callWebhook: WebhookCaller = (target, body, timeoutMs) => {
    const { address } = target
    if (address === undefined) return call(target, body, timeoutMs)
    assert.equal(address.host, podAddress)
    return call({ ...target, address: { ...address, host: '127.0.0.1' } }, body, timeoutMs)
  }
  const server = await testServer({ admission: wanted, callWebhook })
  t.after(() => server.close())
  await server.call('POST /api/v1/namespaces', { body: { metadata: { name: 'default', labels: { team: 'a' } } } })
  return server
}

export interface Hook {
  readonly kind?: 'Mutating' | 'Validating'
  readonly name?: string
  readonly [more: string]: unknown
}

/** Registers webhooks, and waits until the server knows them. */
export async function register(server: TestServer, clientConfig: object, hooks: readonly Hook[]): Promise<void> {
  for (const { kind = 'Validating', name = 'hook.example.com', ...more } of hooks) {
    const webhook = { name, admissionReviewVersions: ['v1'], sideEffects: 'None', clientConfig, rules, ...more }
    const body = { metadata: { name: name.split('.')[0] }, webhooks: [webhook] }
    const made = await server.call(`POST ${root}/${kind.toLowerCase()}webhookconfigurations`, { body })
    assert.equal(made.code, 201, made.object.message)
    await seen(server, `${root}/${kind.toLowerCase()}webhookconfigurations`)
  }
}

/** A read of the newest state: what the server judges by is then as new. */
export async function seen(server: TestServer, path: string): Promise<void> {
  assert.equal((await server.call(`GET ${path}`)).code, 200)
}

export const trusted = ({ url, caBundle }: HttpsExtension, path = '/x'): object => ({ url: `${url}${path}`, caBundle })
export const patchOf = (...operations: object[]): object => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
})
export const deny = (message: string): object => ({ allowed: false, status: { message } })
