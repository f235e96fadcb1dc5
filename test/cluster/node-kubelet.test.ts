/**
 * Goal: the kubelet does what its configuration file and its manifests say. Method: one cluster with a configuration file
 * and a folder for static pods, and pods that show what came of it.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { Container, Pod } from '#api/types/core.v1.ts'
import { namespaces, nodes, pods, priorityClasses } from '#api/types/resources.ts'
import { coracle, freePort } from './harness/cluster.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { isReady, podOf, TestSpace, type TestPod } from './harness/test-space.ts'

let manifests = ''
let podLogs = ''
let ports = { readOnly: 0, health: 0 }
let manifestServer: Server | undefined
/** What the URL answers, and by whom it was asked. */
let manifestText = ''
const asked: string[] = []
after(() => manifestServer?.close())
const head = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'
const shared = sharedCluster({
  async flags(folder) {
    manifests = join(folder, 'manifests')
    await mkdir(manifests)
    podLogs = join(folder, 'pod-logs')
    manifestServer = createServer((request, response) => {
      asked.push(String(request.headers['x-node']))
      response.end(manifestText)
    }).listen(0, '127.0.0.1')
    await once(manifestServer, 'listening')
    const { port } = manifestServer.address() as AddressInfo
    ports = { readOnly: await freePort(), health: await freePort() }
    const config = join(folder, 'kubelet.yaml')
    await writeFile(
      config,
      `${head}
staticPodPath: ${manifests}
maxPods: 33
systemReserved: { cpu: 100m, memory: 64Mi }
allowedUnsafeSysctls: ["kernel.msg*"]
crashLoopBackOff: { maxContainerRestartPeriod: 1s }
podPidsLimit: 64
podLogsDir: ${podLogs}
maxOpenFiles: 5000
readOnlyPort: ${ports.readOnly}
healthzPort: ${ports.health}
staticPodURL: http://127.0.0.1:${port}/pods
staticPodURLHeader: { X-Node: [one] }
httpCheckFrequency: 1s
logging: { format: text }
kubeAPIQPS: 100
eventRecordQPS: 100
cpuCFSQuotaPeriod: 50ms
shutdownGracePeriodByPodPriority: [{ priority: 0, shutdownGracePeriodSeconds: 3 }, { priority: 1000, shutdownGracePeriodSeconds: 2 }]
`,
    )
    return ['--config', config]
  },
})
const idle = 'trap exit TERM; sleep 1000 & wait'

async function nodeAddress(): Promise<string> {
  const { status } = await shared.client.resource(nodes).get('node-1')
  return status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? ''
}

describe('the configuration file', { skip, concurrency: 4 }, () => {
  test('tells the node how much room it has for pods', async () => {
    const { status } = await shared.client.resource(nodes).get('node-1')
    assert.deepEqual([status?.capacity?.['pods'], status?.allocatable?.['pods']], ['33', '33'])
    assert.equal(status?.allocatable?.['cpu'], `${Number(status?.capacity?.['cpu']) * 1000 - 100}m`)
  })

  test('is what /configz shows', async () => {
    const path = '/api/v1/nodes/node-1/proxy/configz'
    const { kubeletconfig } = (await shared.client.raw({ method: 'GET', path })) as {
      kubeletconfig: Record<string, unknown>
    }
    assert.deepEqual([kubeletconfig['maxPods'], kubeletconfig['staticPodPath']], [33, manifests])
    assert.deepEqual(kubeletconfig['crashLoopBackOff'], { maxContainerRestartPeriod: '1s' })
  })

  test('allows sysctls by name, and no others', async (t) => {
    const space = await shared.space(t)
    const withSysctl = (name: string): TestPod => {
      const containers: Container[] = [
        { name: 'main', image: 'coracle.test/busybox:1', command: ['cat', '/proc/sys/kernel/msgmax'] },
      ]
      return {
        name: name.replace('.', '-'),
        spec: { containers, securityContext: { sysctls: [{ name, value: '65536' }] } },
      }
    }
    assert.equal(await space.output(withSysctl('kernel.msgmax')), '65536\n')
    const { pod } = await space.run(withSysctl('kernel.shmmax'))
    assert.deepEqual(
      [pod.status?.phase, pod.status?.reason, pod.status?.message],
      ['Failed', 'SysctlForbidden', 'forbidden sysctl: "kernel.shmmax" not allowlisted'],
    )
  })

  test('limits the processes of a pod', async (t) => {
    const space = await shared.space(t)
    const log = await space
      .output({ script: 'cat /sys/fs/cgroup/pids/pids.max; for i in $(seq 100); do sleep 5 & done; true' })
      .catch((error: Error) => error.message)
    assert.match(log, /can't fork: Resource temporarily unavailable/)
  })

  test('sets the period of processor quotas', async (t) => {
    const space = await shared.space(t)
    const script = 'cat /sys/fs/cgroup/cpu/cpu.cfs_period_us /sys/fs/cgroup/cpu/cpu.cfs_quota_us'
    const container = { resources: { limits: { cpu: '500m', memory: '32Mi' } } }
    assert.equal(await space.output({ script, container }), '50000\n25000\n')
  })

  test('names the folder of logs, and how many files the kubelet may open', async (t) => {
    const space = await shared.space(t)
    assert.equal(await space.output({ script: 'echo one' }), 'one\n')
    assert.ok(readdirSync(podLogs).some((name) => name.startsWith(`${space.namespace}_pod_`)))
    const [pid = ''] = readFileSync(shared.cluster.layout.serverPidFile, 'utf8').split(' ')
    assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max open files +5000 +5000/m)
  })

  test('opens a port for all to read, and one to ask for health', async () => {
    const answer = await fetch(`http://${await nodeAddress()}:${ports.readOnly}/pods`)
    assert.equal(((await answer.json()) as { kind: string }).kind, 'PodList')
    assert.equal(await (await fetch(`http://127.0.0.1:${ports.health}/healthz`)).text(), 'ok')
  })

  test('lets service accounts in by their tokens, as far as they may', async (t) => {
    const space = await shared.space(t)
    const name = space.namespace
    const account = ['--serviceaccount', `${name}:default`]
    await space.kubectl('create', 'clusterrole', name, '--verb=get', '--resource=nodes/metrics')
    await space.kubectl('create', 'clusterrolebinding', name, '--clusterrole', name, ...account)
    t.after(() => space.kubectl('delete', 'clusterrole,clusterrolebinding', name))
    const token = (await space.kubectl('create', 'token', 'default')).trim()
    const address = await nodeAddress()
    const statusOf = async (path: string, bearer: string): Promise<number | undefined> => {
      const headers = { authorization: `Bearer ${bearer}` }
      const sent = request({
        host: address,
        port: 10_250,
        path,
        headers,
        rejectUnauthorized: false,
        agent: false,
      }).end()
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      response.resume()
      return response.statusCode
    }
    assert.equal(await statusOf('/metrics/resource', token), 200)
    assert.equal(await statusOf('/pods', token), 403)
    assert.equal(await statusOf('/metrics/resource', `${token}x`), 401)
  })

  test('has the log written as text', () => {
    const lines = readFileSync(shared.cluster.layout.serverLog, 'utf8').split('\n')
    assert.ok(lines.some((line) => /^[IWE]\d{4} [\d:.]+ +\d+ kubelet] "/.test(line)))
  })

  test('is refused as a whole when a part of it is wrong', async (t) => {
    const path = join(manifests, '../wrong.yaml')
    t.after(() => rm(path, { force: true }))
    await writeFile(path, `${head}maxPod: 3\n`)
    const { code, stderr } = await coracle(
      'up',
      '--data-dir',
      `${manifests}-data`,
      '--secure-port',
      '0',
      '--config',
      path,
    )
    assert.equal(code, 1)
    assert.match(
      stderr,
      /failed to load kubelet config file, path: .*wrong\.yaml, error: .*strict decoding error: unknown field "maxPod"/,
    )
  })
})

/** Puts a manifest into its place at once, as a careful administrator does. */
async function putManifest(name: string, pod: TestPod): Promise<void> {
  const path = join(manifests, `${name}.yaml`)
  await writeFile(`${manifests}/.${name}`, JSON.stringify(podOf(pod)))
  await rename(`${manifests}/.${name}`, path)
}

describe('static pods', { skip }, () => {
  const space = (): TestSpace =>
    new TestSpace({ client: shared.client, kubectl: shared.cluster.kubectl, namespace: 'default' })
  const containerId = (pod: Pod): string | undefined => pod.status?.containerStatuses?.[0]?.containerID
  const name = 'static-node-1'
  const pod: TestPod = { name: 'static', script: `echo one; ${idle}`, spec: { restartPolicy: 'Always' } }

  test('run without anybody asking the API, and are shown there', async () => {
    await shared.client.resource(namespaces).get('default')
    await putManifest('static', pod)
    const mirror = await space().waitFor(pods, name, isReady)
    const { annotations = {}, ownerReferences = [] } = mirror.metadata
    assert.equal(annotations['kubernetes.io/config.source'], 'file')
    assert.equal(annotations['kubernetes.io/config.mirror'], annotations['kubernetes.io/config.hash'])
    assert.deepEqual([ownerReferences[0]?.kind, ownerReferences[0]?.name], ['Node', 'node-1'])
    assert.equal(await space().log(name), 'one\n')
  })

  test('go on when their mirror is deleted, which comes back', async () => {
    const before = await space().of(pods).get(name)
    await space().of(pods).delete(name)
    const after = await space()
      .waitFor(
        pods,
        name,
        ({ metadata, status }) => metadata.uid !== before.metadata.uid && status?.phase === 'Running',
      )
      .catch(() => space().waitFor(pods, name, isReady))
    assert.notEqual(after.metadata.uid, before.metadata.uid)
    assert.equal(containerId(await space().waitFor(pods, name, isReady)), containerId(before))
  })

  test('go on through a restart of the kubelet', async () => {
    const before = await space().of(pods).get(name)
    await shared.cluster.signal('SIGKILL')
    await shared.cluster.up()
    const after = await space().waitFor(pods, name, isReady)
    assert.deepEqual([after.metadata.uid, containerId(after)], [before.metadata.uid, containerId(before)])
  })

  test('are replaced when their manifest changes', async () => {
    const before = await space().of(pods).get(name)
    await putManifest('static', { ...pod, script: `echo two; ${idle}` })
    await space()
      .waitGone(pods, name)
      .catch(() => undefined)
    const after = await space().waitFor(
      pods,
      name,
      (seen) => isReady(seen) && containerId(seen) !== containerId(before),
    )
    assert.notEqual(after.metadata.uid, before.metadata.uid)
    assert.equal(await space().log(name), 'two\n')
  })

  test('come from a URL, too', async () => {
    const fromUrl = podOf({ name: 'url', script: idle, spec: { restartPolicy: 'Always' } })
    manifestText = JSON.stringify({ kind: 'PodList', apiVersion: 'v1', items: [fromUrl] })
    const mirror = await space().waitFor(pods, 'url-node-1', isReady)
    assert.equal(mirror.metadata.annotations?.['kubernetes.io/config.source'], 'http')
    assert.equal(new Set(asked).size, 1)
    assert.equal(asked[0], 'one')
    manifestText = JSON.stringify({ kind: 'PodList', apiVersion: 'v1', items: [] })
    await space().waitGone(pods, 'url-node-1')
  })

  test('end with their manifest', async () => {
    await rm(join(manifests, 'static.yaml'))
    await space().waitGone(pods, name)
  })
})

describe('the end of the node', { skip }, () => {
  test('pods end by priority, each with its time, and no new ones are taken', async (t) => {
    const space = await shared.space(t)
    const name = `${space.namespace}-high`
    await shared.client.resource(priorityClasses).create({ metadata: { name }, value: 1000 })
    t.after(() => shared.client.resource(priorityClasses).delete(name))
    const stubborn = { script: 'trap "" TERM; while true; do sleep 1; done' }
    const pod = { ...stubborn, spec: { terminationGracePeriodSeconds: 60 } }
    await space.start({ ...pod, name: 'low' })
    await space.start({ ...pod, name: 'high', spec: { ...pod.spec, priorityClassName: name } })
    const [pid = ''] = readFileSync(shared.cluster.layout.serverPidFile, 'utf8').split(' ')
    process.kill(Number(pid), 'SIGPWR')
    const isFailed = ({ status }: Pod): boolean => status?.phase === 'Failed'
    const [low, high] = await Promise.all(['low', 'high'].map((each) => space.waitFor(pods, each, isFailed)))
    for (const { status } of [low, high] as Pod[]) {
      assert.deepEqual(
        [status?.reason, status?.message],
        ['Terminated', 'Pod was terminated in response to imminent node shutdown.'],
      )
      assert.equal(status?.conditions?.find(({ type }) => type === 'DisruptionTarget')?.reason, 'TerminationByKubelet')
    }
    const endOf = (each: Pod | undefined): number =>
      Date.parse(each?.status?.containerStatuses?.[0]?.state?.terminated?.finishedAt ?? '')
    assert.ok(endOf(low) < endOf(high), `${endOf(low)} before ${endOf(high)}`)
    const node = await space.waitFor(
      nodes,
      'node-1',
      ({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'False') ?? false,
    )
    assert.match(node.status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '', /node is shutting down/)
    const late = await space.run({
      name: 'late',
      script: 'true',
      spec: { nodeName: 'node-1', tolerations: [{ operator: 'Exists' }] },
    })
    assert.deepEqual(
      [late.pod.status?.reason, late.pod.status?.message],
      ['NodeShutdown', 'Pod was rejected as the node is shutting down.'],
    )
  })
})
