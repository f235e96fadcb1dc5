/**
 * Goal: what a new user does on a fresh machine works, end to end. Method: one cluster, the real kubectl, and the steps of
 * a first afternoon in their order; each test builds on those before it.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Deployment } from '#api/types/apps.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { EndpointSlice } from '#api/types/discovery.v1.ts'
import { startCluster } from './harness/cluster.ts'
import type { Cluster } from './harness/cluster.ts'
import type { Kubectl } from './harness/kubectl.ts'
import { eventually } from './harness/eventually.ts'
import { assertNoTrace, machineTrace } from './harness/machine-trace.ts'
import type { MachineTrace } from './harness/machine-trace.ts'
import { podManifest, webManifest } from './harness/manifests.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { nodePortUrl, request, requestsDuring } from './harness/requests.ts'

let clean: MachineTrace
let cluster: Cluster
let kubectl: Kubectl

before(async () => {
  if (skip !== false) return
  clean = await machineTrace()
  cluster = await startCluster()
  kubectl = cluster.kubectl
  await cluster.loadImages()
})

after(async () => {
  if (skip === false) await cluster[Symbol.asyncDispose]()
})

const page = (version: number): string => `coracle test nginx version ${version}\n`
const rolledOut = ['rollout', 'status', 'deployment/web', '--timeout=120s']

test('up ends with a node that is Ready', { skip }, async () => {
  assert.match(cluster.printed, new RegExp(`KUBECONFIG=${RegExp.escape(cluster.layout.kubeconfig)}`))
  await kubectl.output('wait', '--for=condition=Ready', 'node/node-1', '--timeout=1s')
})

test('a Deployment with ConfigMap, Secret and Service becomes available', { skip }, async () => {
  await kubectl.apply(webManifest())
  assert.match(await kubectl.output(...rolledOut), /successfully rolled out/)
  const table = await kubectl.output('get', 'deployment', 'web')
  assert.match(table, /^web\s+3\/3\s+3\s+3\s/m)
})

test('another pod reaches the Service by its DNS names', { skip }, async () => {
  await kubectl.apply(podManifest('client'))
  await kubectl.output('wait', '--for=condition=Ready', 'pod/client', '--timeout=60s')
  for (const name of ['web', 'web.default', 'web.default.svc.cluster.local']) {
    assert.equal(await kubectl.output('exec', 'client', '--', 'wget', '-qO-', `http://${name}`), page(1))
  }
})

test('the host reaches the Service by its node port', { skip }, async () => {
  assert.equal(await request(await nodePortUrl(kubectl, 'web')), page(1))
})

test('logs show what the container wrote', { skip }, async () => {
  const logs = await kubectl.output('logs', '--selector', 'app=web', '--tail=-1')
  assert.match(logs, /"GET \/ HTTP\/1\.1" 200/)
})

test('exec passes standard input, output and the exit code', { skip }, async () => {
  const echoed = await kubectl.run(['exec', '-i', 'client', '--', 'cat'], { input: 'line one\nline two\n' })
  assert.deepEqual(echoed, { code: 0, stdout: 'line one\nline two\n', stderr: '' })
  const failed = await kubectl.run(['exec', 'client', '--', 'sh', '-c', 'echo lost >&2; exit 7'])
  assert.equal(failed.code, 7)
  assert.match(failed.stderr, /^lost$/m)
})

test('configuration arrives as environment and as files', { skip }, async () => {
  const script = 'echo $GREETING; cat /etc/web/greeting; echo; cat /etc/secret/password; echo; echo $POD_NAME'
  const seen = await kubectl.output('exec', 'deployment/web', '--', 'sh', '-c', script)
  assert.match(seen, /^hello\nhello\nopen sesame\nweb-\w+-\w+\n$/)
})

test('scale brings two more pods', { skip }, async () => {
  await kubectl.output('scale', 'deployment/web', '--replicas=5')
  await kubectl.waitFor<Deployment>(['deployment', 'web'], ({ status }) => status?.readyReplicas === 5)
})

test('no request fails during a rolling update with maxUnavailable 0', { skip }, async () => {
  const traffic = await requestsDuring(await nodePortUrl(kubectl, 'web'), async () => {
    await kubectl.output('set', 'image', 'deployment/web', 'nginx=coracle.test/nginx:2')
    await kubectl.output(...rolledOut)
  })
  assert.deepEqual(traffic.failures, [])
  assert.ok((traffic.answers.get(page(1)) ?? 0) > 0 && (traffic.answers.get(page(2)) ?? 0) > 0)
  assert.equal(await request(await nodePortUrl(kubectl, 'web')), page(2))
})

test('rollout undo brings the first version back', { skip }, async () => {
  assert.match(await kubectl.output('rollout', 'history', 'deployment/web'), /^2\s/m)
  await kubectl.output('rollout', 'undo', 'deployment/web')
  await kubectl.output(...rolledOut)
  assert.equal(await request(await nodePortUrl(kubectl, 'web')), page(1))
})

test('a crashing container shows CrashLoopBackOff', { skip }, async () => {
  await kubectl.apply(podManifest('crash', { command: ['sh', '-c', 'echo falling; exit 3'] }))
  const pod = await kubectl.waitFor<Pod>(['pod', 'crash'], ({ status }) => {
    return status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff'
  })
  assert.equal(pod.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 3)
  assert.match(await kubectl.output('get', 'pod', 'crash'), /^crash\s+0\/1\s+CrashLoopBackOff\s/m)
  assert.equal(await kubectl.output('logs', 'crash', '--previous'), 'falling\n')
})

test('a failing readiness probe takes the pod out of its Service', { skip }, async () => {
  const readinessProbe = { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 1, failureThreshold: 1 }
  await kubectl.apply(
    podManifest('echo', { image: 'coracle.test/echo:1', command: ['/usr/sbin/nginx'], readinessProbe }),
  )
  await kubectl.output('wait', '--for=condition=Ready', 'pod/echo', '--timeout=60s')
  await kubectl.output('expose', 'pod', 'echo', '--port=8080')
  const slice = ['endpointslices', '--selector', 'kubernetes.io/service-name=echo']
  const isReady = (ready: boolean) => (seen: EndpointSlice) => seen.endpoints?.[0]?.conditions?.ready === ready
  await kubectl.waitFor(slice, isReady(true))
  assert.match(await kubectl.output('exec', 'client', '--', 'wget', '-qO-', 'http://echo:8080/x'), /^uri=\/x$/m)
  await kubectl.output('exec', 'echo', '--', 'rm', '/srv/ready')
  await kubectl.waitFor(slice, isReady(false))
  // What has no endpoint is refused at once; a while may pass until the rules are in the kernel.
  const refusal = await eventually(
    async () => {
      const answer = await kubectl.run(['exec', 'client', '--', 'wget', '-qO-', 'http://echo:8080/x'])
      return answer.code === 0 ? undefined : answer
    },
    { what: 'requests to a Service without endpoints fail' },
  )
  assert.match(refusal.stderr, /Connection refused/)
})

test('delete removes the pods with their owner', { skip }, async () => {
  await kubectl.output('delete', 'deployment,service,configmap,secret', 'web')
  await kubectl.output('delete', 'service', 'echo')
  await kubectl.output('delete', 'pod', 'client', 'crash', 'echo')
  await kubectl.output('wait', '--for=delete', 'pod', '--selector', 'app=web', '--timeout=60s')
  assert.equal(await kubectl.output('get', 'pods', '-o', 'name'), '')
})

test('down leaves no trace', { skip }, async () => {
  await cluster.down()
  await assertNoTrace(clean)
})
