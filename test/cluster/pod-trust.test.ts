/**
 * Goal: pods get authorities to trust (KEP-3257) and certificates of their own (KEP-4317) as files that follow what the
 * API says. Method: one cluster that serves both APIs; the test plays the signer.
 */
import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { describe, test, type TestContext } from 'node:test'
import { requestedKey } from '#api/certificates/v1beta1/requested-key.ts'
import type { PodCertificateRequest } from '#api/types/certificates.v1beta1.ts'
import type { PodSpec, VolumeProjection } from '#api/types/core.v1.ts'
import { clusterTrustBundles, configMaps, podCertificateRequests, pods } from '#api/types/resources.ts'
import { formatTime, systemClock } from '#lib/clock.ts'
import { testAuthority } from '#lib/x509/authority.case.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { isReady, type TestSpace } from './harness/test-space.ts'

const gates = ['ClusterTrustBundle', 'ClusterTrustBundleProjection', 'PodCertificateRequest']
const shared = sharedCluster({
  flags: [
    '--runtime-config=certificates.k8s.io/v1beta1=true',
    `--feature-gates=${gates.map((gate) => `${gate}=true`).join(',')}`,
  ],
})
const options = { skip, concurrency: 4 }

const [one, two, three] = ['one', 'two', 'three'].map((name) => testAuthority(name, systemClock.now())) as [
  ReturnType<typeof testAuthority>,
  ReturnType<typeof testAuthority>,
  ReturnType<typeof testAuthority>,
]
const joined = (...anchors: readonly string[]): string => [...anchors].sort().join('')

/** A pod's volume of these sources at `/v`. */
function withVolume(...sources: readonly VolumeProjection[]): { readonly spec: Partial<PodSpec> } {
  return { spec: { volumes: [{ name: 'v', projected: { sources } }] } }
}
const container = { volumeMounts: [{ name: 'v', mountPath: '/v' }] }

/** Of a pod that is ready only when it has seen the first state of its files. */
const attentive = { ...container, readinessProbe: { exec: { command: ['test', '-f', '/seen'] }, periodSeconds: 1 } }

/** Prints the file once it is what the pod is told to wait for. */
const printWhen = (condition: string): string => `until ${condition}; do sleep 0.1; done; cat /v/ca.crt`

function makeBundle(
  t: TestContext,
  name: string,
  trustBundle: string,
  signerName?: string,
  labels?: object,
): Promise<unknown> {
  const bundles = shared.client.resource(clusterTrustBundles)
  t.after(() => bundles.delete(name))
  return bundles.create({
    metadata: { name, ...(labels && { labels }) },
    spec: { trustBundle, ...(signerName && { signerName }) },
  } as never)
}

describe('trust bundles', options, () => {
  test('a bundle by its name is a file, and follows the bundle while the pod runs', async (t) => {
    const space = await shared.space(t)
    const name = `${space.namespace}.roots`
    await makeBundle(t, name, one.certificate)
    const source = { clusterTrustBundle: { name, path: 'ca.crt' } }
    const script =
      'cat /v/ca.crt; touch /seen; until [ $(grep -c BEGIN /v/ca.crt) = 2 ]; do sleep 0.1; done; cat /v/ca.crt'
    const running = space.output({ script, container: attentive, ...withVolume(source) })
    await space.waitFor(pods, 'pod', isReady)
    const bundles = shared.client.resource(clusterTrustBundles)
    const bundle = await bundles.get(name)
    await bundles.update({ ...bundle, spec: { trustBundle: `words\n${two.certificate}${one.certificate}` } })
    assert.equal(await running, one.certificate + joined(one.certificate, two.certificate))
  })

  test('a pod waits for a bundle that is not there, says so, and starts when it comes', async (t) => {
    const space = await shared.space(t)
    const name = `${space.namespace}.late`
    const source = { clusterTrustBundle: { name, path: 'ca.crt' } }
    const running = space.output({ script: 'cat /v/ca.crt', container, ...withVolume(source) })
    const why = await space.waitForEvent('pod', 'FailedMount')
    const missing = `while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "${name}" not found`
    assert.equal(why, `MountVolume.SetUp failed for volume "v" : ${missing}`)
    await makeBundle(t, name, three.certificate)
    assert.equal(await running, three.certificate)
  })

  test('an optional bundle that is not there is an empty file, until it comes', async (t) => {
    const space = await shared.space(t)
    const name = `${space.namespace}.optional`
    const source = { clusterTrustBundle: { name, path: 'ca.crt', optional: true } }
    const script = `stat -Lc %s /v/ca.crt; touch /seen; ${printWhen('[ -s /v/ca.crt ]')}`
    const running = space.output({ script, container: attentive, ...withVolume(source) })
    await space.waitFor(pods, 'pod', isReady)
    await makeBundle(t, name, three.certificate)
    assert.equal(await running, `0\n${three.certificate}`)
  })

  test('the bundles of a signer under a selector are one file, each authority once, as bundles come and go', async (t) => {
    const space = await shared.space(t)
    const signerName = `example.com/${space.namespace}`
    const prefix = signerName.replace('/', ':')
    await makeBundle(t, `${prefix}:a`, one.certificate + two.certificate, signerName, { live: 'yes' })
    await makeBundle(t, `${prefix}:b`, three.certificate, signerName, { live: 'no' })
    const labelSelector = { matchLabels: { live: 'yes' } }
    const source = { clusterTrustBundle: { signerName, labelSelector, path: 'ca.crt' } }
    const script = `cat /v/ca.crt; touch /seen; ${printWhen('[ $(grep -c BEGIN /v/ca.crt) = 3 ]')}`
    const running = space.output({ script, container: attentive, ...withVolume(source) })
    await space.waitFor(pods, 'pod', isReady)
    await makeBundle(t, `${prefix}:c`, two.certificate + three.certificate, signerName, { live: 'yes' })
    const first = joined(one.certificate, two.certificate)
    assert.equal(await running, first + joined(one.certificate, two.certificate, three.certificate))
  })

  test("the cluster publishes the authority of the API server's certificate under its signer", async (t) => {
    const space = await shared.space(t)
    const map = await space.waitFor(configMaps, 'kube-root-ca.crt', () => true)
    const signerName = 'kubernetes.io/kube-apiserver-serving'
    const source = { clusterTrustBundle: { signerName, labelSelector: {}, path: 'ca.crt' } }
    const log = await space.output({ script: 'cat /v/ca.crt', container, ...withVolume(source) })
    assert.equal(log, map.data?.['ca.crt'])
  })
})

/** The request that the node makes for the pod. */
async function requestFor(space: TestSpace, podName: string): Promise<PodCertificateRequest> {
  const requests = space.of(podCertificateRequests)
  const signal = AbortSignal.timeout(60_000)
  const fieldSelector = `spec.podName=${podName}`
  const { items, resourceVersion } = await requests.list({ fieldSelector })
  if (items[0] !== undefined) return items[0]
  for await (const event of requests.watch({ fieldSelector, resourceVersion, signal })) {
    if (event.type === 'ADDED') return event.object
  }
  throw new Error(`nobody asks for a certificate of ${podName}`)
}

const lifeSeconds = 3600

async function issue(space: TestSpace, request: PodCertificateRequest): Promise<string> {
  const key = requestedKey(request.spec)
  assert.ok(key)
  const fromMs = Math.floor(systemClock.now() / 1000) * 1000
  const at = (seconds: number): string => formatTime(fromMs + seconds * 1000)
  const leaf = one.issue(key, { fromMs, seconds: lifeSeconds })
  const condition = { type: 'Issued', status: 'True', reason: 'Signed', message: 'by a test' }
  await space.of(podCertificateRequests).updateStatus({
    ...request,
    status: {
      conditions: [condition as never],
      certificateChain: `words\n${leaf}${one.certificate}`,
      ...{ notBefore: at(0), beginRefreshAt: at(lifeSeconds / 2), notAfter: at(lifeSeconds) },
    },
  })
  return leaf
}

function isPair(privateKey: string, certificate: string): boolean {
  const text = (key: ReturnType<typeof createPublicKey>): Buffer => key.export({ type: 'spki', format: 'der' })
  const own = createPublicKey(createPrivateKey(privateKey))
  return text(own).equals(text(new X509Certificate(certificate).publicKey))
}

describe('certificates of pods', options, () => {
  for (const keyType of ['ED25519', 'ECDSAP384', 'RSA3072']) {
    test(`a pod gets a key of type ${keyType} with a certificate of its signer, in one file`, async (t) => {
      const space = await shared.space(t)
      const podCertificate = { signerName: 'example.com/s', keyType, credentialBundlePath: 'own.pem' }
      const script = 'cat /v/own.pem'
      const running = space.output({ script, container, ...withVolume({ podCertificate }) })
      const request = await requestFor(space, 'pod')
      const pod = await space.of(pods).get('pod')
      assert.deepEqual(
        [request.spec.podUID, request.spec.nodeName, request.spec.serviceAccountName, request.spec.signerName],
        [pod.metadata.uid, 'node-1', 'default', 'example.com/s'],
      )
      assert.equal(request.spec.maxExpirationSeconds, 86_400)
      const leaf = await issue(space, request)
      const bundle = await running
      assert.ok(bundle.endsWith(`-----END PRIVATE KEY-----\n${leaf}${one.certificate}`))
      assert.ok(isPair(bundle, leaf))
    })
  }

  test('key and chain may be files apart, for the user of the pod alone', async (t) => {
    const space = await shared.space(t)
    const files = { keyPath: 'key.pem', certificateChainPath: 'chain.pem' }
    const podCertificate = {
      ...{ signerName: 'example.com/s', keyType: 'ECDSAP256', maxExpirationSeconds: 7200 },
      ...files,
      userAnnotations: { 'example.com/for': 'tests' },
    }
    const script = 'cat /v/key.pem; cat /v/chain.pem; stat -Lc "%a %u" /v/key.pem /v/chain.pem'
    const { spec } = withVolume({ podCertificate })
    const securityContext = { runAsUser: 1234 }
    const running = space.output({ script, container, spec: { ...spec, securityContext } })
    const request = await requestFor(space, 'pod')
    assert.equal(request.spec.maxExpirationSeconds, 7200)
    assert.deepEqual(request.spec.unverifiedUserAnnotations, { 'example.com/for': 'tests' })
    const leaf = await issue(space, request)
    const log = await running
    assert.ok(isPair(log, leaf))
    assert.ok(log.endsWith(`${leaf}${one.certificate}600 1234\n600 1234\n`))
  })

  test('a pod waits for its signer, and is told when it is denied', async (t) => {
    const space = await shared.space(t)
    const podCertificate = { signerName: 'example.com/s', keyType: 'ED25519', credentialBundlePath: 'own.pem' }
    await space.create({ script: 'true', container, ...withVolume({ podCertificate }) })
    const request = await requestFor(space, 'pod')
    await space.waitForEvent('pod', 'FailedMount', /credential bundle is not issued yet$/)
    const condition = { type: 'Denied', status: 'True', reason: 'UnsupportedKeyType', message: 'try ECDSAP256' }
    await space.of(podCertificateRequests).updateStatus({ ...request, status: { conditions: [condition as never] } })
    const told = await space.waitForEvent('pod', 'Denied')
    const reason = 'reason="UnsupportedKeyType", message="try ECDSAP256"'
    assert.equal(told, `PodCertificateRequest ${space.namespace}/${request.metadata.name} was denied, ${reason}`)
    await space.waitForEvent('pod', 'FailedMount', /PodCertificateRequest was permanently denied: reason=/)
    await space.of(pods).delete('pod')
    await space.waitGone(pods, 'pod')
    await space.waitGone(podCertificateRequests, request.metadata.name)
  })

  test('who may not sign cannot decide, and nobody decides twice', async (t) => {
    const space = await shared.space(t)
    const podCertificate = { signerName: 'example.com/s', keyType: 'ED25519', credentialBundlePath: 'own.pem' }
    await space.create({ script: 'sleep 60', container, ...withVolume({ podCertificate }) })
    const { metadata } = await requestFor(space, 'pod')
    const denial = `--patch={"status":{"conditions":[{"type":"Denied","status":"True","reason":"No"}]}}`
    const patch = ['patch', 'podcertificaterequest', metadata.name, '--subresource=status', '--type=merge']
    const own = `--as=system:serviceaccount:${space.namespace}:default`
    const role = [
      'create',
      'role',
      'r',
      '--verb=get,patch',
      '--resource=podcertificaterequests/status,podcertificaterequests',
    ]
    await space.kubectl(...role)
    await space.kubectl('create', 'rolebinding', 'r', '--role=r', `--serviceaccount=${space.namespace}:default`)
    const refused = await space.runKubectl([...patch, denial, own])
    assert.match(refused.stderr, /is not permitted to "sign" for signer "example.com\/s"/)
    await space.kubectl(...patch, denial)
    const twice = await space.runKubectl([...patch, denial.replace('Denied', 'Failed')])
    assert.match(
      twice.stderr,
      /status: Invalid value: immutable after PodCertificateRequest is issued, denied, or failed/,
    )
    assert.match(
      await space.kubectl('get', 'podcertificaterequests'),
      /^NAME +PODNAME.*STATE\n\S+ +pod +default +node-1 +example.com\/s +Denied\n$/,
    )
  })
})
