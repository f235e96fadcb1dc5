import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import type { CertificateSigningRequest } from '#api/types/certificates.v1.ts'
import { certificateSigningRequests } from '#api/types/resources.ts'
import { signingRequest } from './signing-request.ts'
import { smallCluster, type SmallCluster } from './small-cluster.ts'

/** Made with openssl: `/O=system:masters/CN=system:node:n1`. */
const mastersRequest =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIdU1JR1VBZ0VBTURJeEZ6QVZCZ05WQkFvTURuTjVjM1JsYlRwdFlYTjBaWEp6TVJjd0ZRWURWUVFEREE1egplWE4wWlcwNmJtOWtaVHB1TVRCWk1CTUdCeXFHU000OUFnRUdDQ3FHU000OUF3RUhBMElBQkl0UVFjNE1MQTZJCk5XSEJqdnpOQU1qYWh1QmRMNk1XUmZKeEVxRU5yeEtuRzIzbk43T1dZNndxemgzR1pHek1iRjg5RE1PazZ2S1kKWmhkWHRpdmhaZUNnQURBS0JnZ3Foa2pPUFFRREFnTkpBREJHQWlFQTExWWt5Y2hBR1JWNHJoTE9FOEJyZUdFQQpBcGpkcDJrR1ZWS3lsM0h2bE1rQ0lRRDhZVHZzZ0FpRHZyU0hjdEpsblprK2xnMG1SeGVtNmxQZUxiSlB0T1ZBCmdRPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg=='

const signerName = 'kubernetes.io/kube-apiserver-client-kubelet'
const usages = ['digital signature', 'client auth']

async function ask({ client }: SmallCluster, spec: Partial<CertificateSigningRequest['spec']>): Promise<void> {
  const whole = { signerName, usages, request: signingRequest, ...spec }
  await client.resource(certificateSigningRequests).create({ metadata: { name: 'csr' }, spec: whole })
}

async function read({ client }: SmallCluster): Promise<CertificateSigningRequest> {
  return client.resource(certificateSigningRequests).get('csr')
}

test('the client certificate of a kubelet is approved and issued, and the request is cleaned up', async (t) => {
  const cluster = await smallCluster(t)
  await ask(cluster, { expirationSeconds: 3_600 })
  await cluster.until('it is issued', async () => (await read(cluster)).status?.certificate !== undefined)
  const { status } = await read(cluster)
  assert.equal(status?.conditions?.[0]?.message, 'Auto approving kubelet client certificate after SubjectAccessReview.')
  const certificate = new X509Certificate(Buffer.from(status?.certificate ?? '', 'base64'))
  assert.equal(certificate.subject, 'O=system:nodes\nCN=system:node:n1')
  assert.ok(certificate.verify(cluster.ca.publicKey))
  assert.equal(certificate.validToDate.getTime() - cluster.clock.now() > 3_500_000, true)
  assert.equal(certificate.validToDate.getTime() - cluster.clock.now() <= 3_600_000, true)
  await cluster.clock.advance(3_700_000)
  assert.deepEqual((await cluster.client.resource(certificateSigningRequests).list()).items, [])
})

for (const [why, spec] of [
  ['of another group', { request: mastersRequest }],
  ['for serving', { usages: ['digital signature', 'server auth'] }],
  ['to another signer', { signerName: 'kubernetes.io/kubelet-serving', usages: ['digital signature', 'server auth'] }],
] as const) {
  test(`a request ${why} waits for a person`, async (t) => {
    const cluster = await smallCluster(t)
    await ask(cluster, spec)
    await cluster.settle()
    assert.deepEqual((await read(cluster)).status ?? {}, {})
  })
}

test('what a person approves against the rules of the signer fails', async (t) => {
  const cluster = await smallCluster(t)
  await ask(cluster, { request: mastersRequest })
  const request = await read(cluster)
  const conditions = [{ type: 'Approved', status: 'True', reason: 'Mistake' }]
  const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests/csr/approval'
  await cluster.client.raw({ method: 'PUT', path, body: { ...request, status: { conditions } } })
  await cluster.until('it has failed', async () => {
    return (await read(cluster)).status?.conditions?.some(({ type }) => type === 'Failed') ?? false
  })
  assert.equal((await read(cluster)).status?.certificate, undefined)
})
