/** Goal: the real kubectl finds a conformant cluster. Method: one cluster, a namespace for each behaviour. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, type TestContext } from 'node:test'
import type { Pod, ReplicationController, Service } from '#api/types/core.v1.ts'
import { deployments, pods, replicationControllers, services } from '#api/types/resources.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { kubectlPath } from '../../scripts/kubectl.ts'
import { eventually } from './harness/eventually.ts'
import { guestbook, guestbookTier } from './harness/guestbook.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { busybox, isReady, type TestSpace } from './harness/test-space.ts'

const shared = sharedCluster()
const area = 'kubectl/kubectl'
const echo = 'coracle.test/echo:1'
const labels = { app: 'agnhost', role: 'primary' }

/** A controller of idle or serving pods. */
function controllerOf(name: string, replicas: number, image = echo): object {
  const command =
    image === busybox ? { command: ['sleep', '3600'] } : { ports: [{ name: 'server', containerPort: 8080 }] }
  const containers = [{ name: 'main', image, ...command }]
  return {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: { name, labels },
    spec: {
      replicas,
      selector: labels,
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers } },
    },
  }
}

/** kubectl with a manifest on its standard input; it has to succeed. */
async function feed(space: TestSpace, manifest: object, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await space.runKubectl([...args, '-f', '-'], { input: JSON.stringify(manifest) })
  assert.equal(code, 0, stderr)
  return stdout
}

/** Waits until a controller has so many ready pods and no others, and returns them. */
async function readyPods(space: TestSpace, name: string, count: number): Promise<readonly Pod[]> {
  await space.waitFor(
    replicationControllers,
    name,
    ({ status }: ReplicationController) => (status?.readyReplicas ?? 0) === count && status?.replicas === count,
  )
  const { items } = await space.of(pods).list({ labelSelector: 'app=agnhost' })
  const live = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  assert.equal(live.length, count)
  return live
}

async function isGone(space: TestSpace): Promise<true | undefined> {
  const { items } = await space.of(pods).list({ labelSelector: 'app=agnhost' })
  return items.length === 0 ? true : undefined
}

describe('kubectl', { skip, concurrency: 4 }, () => {
  behaviour(area, 'Kubectl client Update Demo should create and stop a replication controller', async (t) => {
    const space = await shared.space(t)
    await feed(space, controllerOf('update-demo', 2), 'create')
    await readyPods(space, 'update-demo', 2)
    await space.kubectl('delete', 'rc', 'update-demo', '--grace-period=0', '--force')
    await eventually(() => isGone(space), { what: 'its pods are gone' })
    assert.equal(await space.kubectl('get', 'rc,svc', '-l', 'app=agnhost', '--no-headers'), '')
  })

  behaviour(area, 'Kubectl client Update Demo should scale a replication controller', async (t) => {
    const space = await shared.space(t)
    await feed(space, controllerOf('update-demo', 2), 'create')
    await readyPods(space, 'update-demo', 2)
    for (const count of [1, 2]) {
      await space.kubectl('scale', 'rc', 'update-demo', `--replicas=${count}`, '--timeout=5m')
      await readyPods(space, 'update-demo', count)
    }
  })

  behaviour(area, 'Kubectl client Guestbook application should create and stop a working application', async (t) => {
    const space = await shared.space(t)
    const manifests = guestbook()
    await feed(space, manifests, 'create')
    for (const name of ['frontend', 'primary', 'replica']) {
      await space.waitFor(deployments, name, ({ spec, status }) => status?.availableReplicas === spec?.replicas)
    }
    const ask = (query: string): Promise<string> =>
      space.kubectl(
        'get',
        '--raw',
        `/api/v1/namespaces/${space.namespace}/services/frontend/proxy/cgi-bin/guestbook?${query}`,
      )
    await eventually(async () => ((await ask('read=all')).trim() === '' ? true : undefined), {
      what: 'the book is empty',
    })
    assert.equal((await ask('entry=TestEntry')).trim(), 'Updated')
    const read = async (): Promise<true | undefined> =>
      (await ask('read=all')).trim() === 'TestEntry' ? true : undefined
    await eventually(read, { what: 'the replicas know the entry' })
    await feed(space, manifests, 'delete', '--grace-period=0', '--force')
    assert.deepEqual((await space.of(deployments).list()).items, [])
  })

  behaviour(area, 'Kubectl client Kubectl api-versions should check if v1 is in available api versions', async () => {
    const versions = await shared.cluster.kubectl.output('api-versions')
    assert.ok(versions.split('\n').includes('v1'))
  })

  behaviour(
    area,
    'Kubectl client Kubectl cluster-info should check if Kubernetes control plane services is included in cluster-info',
    async () => {
      const text = await shared.cluster.kubectl.output('cluster-info')
      assert.ok(/Kubernetes control plane.* is running at .*https:\/\//.test(text), text)
    },
  )

  behaviour(area, 'Kubectl client Kubectl version should check is all data is printed', async () => {
    const text = await shared.cluster.kubectl.output('version')
    for (const part of [/Client Version: v1\.\d+/, /Kustomize Version: /, /Server Version: v1\.\d+/])
      assert.match(text, part)
    const { serverVersion } = JSON.parse(await shared.cluster.kubectl.output('version', '-o', 'json')) as {
      serverVersion: Record<string, string>
    }
    const parts = ['major', 'minor', 'gitVersion', 'gitTreeState', 'buildDate', 'goVersion', 'compiler']
    for (const part of parts) assert.ok(serverVersion[part], part)
  })

  behaviour(
    area,
    'Kubectl client Kubectl describe should check if kubectl describe prints relevant information for rc and pods',
    async (t) => {
      const space = await shared.space(t)
      await feed(space, controllerOf('agnhost-primary', 1), 'create')
      await feed(space, serviceOf('agnhost-primary', 6379), 'create')
      const [pod] = await readyPods(space, 'agnhost-primary', 1)
      const { namespace } = space
      const node = pod?.spec.nodeName ?? ''
      await assertDescribed(space, ['pod', pod?.metadata.name ?? ''], {
        Namespace: namespace,
        Node: `${node}/`,
        Labels: 'app=agnhost',
        'Controlled By': 'ReplicationController/agnhost-primary',
        Image: echo,
        State: 'Running',
        'QoS Class': 'BestEffort',
        Status: 'Running',
      })
      await assertDescribed(space, ['rc', 'agnhost-primary'], {
        Name: 'agnhost-primary',
        Namespace: namespace,
        Selector: 'app=agnhost,role=primary',
        Replicas: '1 current / 1 desired',
        'Pods Status': '1 Running / 0 Waiting / 0 Succeeded / 0 Failed',
        Image: echo,
        Events: '',
      })
      await assertDescribed(space, ['service', 'agnhost-primary'], {
        Name: 'agnhost-primary',
        Namespace: namespace,
        Selector: 'app=agnhost,role=primary',
        Type: 'ClusterIP',
        IP: '10.',
        TargetPort: 'server/TCP',
        Endpoints: `${pod?.status?.podIP ?? ''}:8080`,
        'Session Affinity': 'None',
      })
      await assertDescribed(space, ['node', node], {
        Name: node,
        Labels: 'beta.kubernetes.io/arch=',
        CreationTimestamp: '',
        Conditions: '',
        MemoryPressure: '',
        DiskPressure: '',
        PIDPressure: '',
        Ready: '',
        Addresses: '',
        Capacity: '',
        'Kubelet Version': 'v1.',
        'Non-terminated Pods': '(',
      })
      await assertDescribed(space, ['namespace', namespace], { Name: namespace, Status: 'Active', Labels: '' })
    },
  )

  behaviour(area, 'Kubectl client Kubectl expose should create services for rc', async (t) => {
    const space = await shared.space(t)
    await feed(space, controllerOf('agnhost-primary', 1), 'create')
    const [pod] = await readyPods(space, 'agnhost-primary', 1)
    const assertServes = async (name: string, port: number): Promise<void> => {
      const { spec } = (await space.of(services).get(name)) as Service
      assert.deepEqual(
        spec?.ports?.map((each) => [each.port, each.targetPort]),
        [[port, 8080]],
      )
      const address = `${pod?.status?.podIP}:8080`
      const look = async (): Promise<true | undefined> =>
        (await space.kubectl('get', 'endpoints', name, '--no-headers')).includes(address) ? true : undefined
      await eventually(look, { what: `${name} leads to the pod` })
    }
    await space.kubectl('expose', 'rc', 'agnhost-primary', '--name=rm2', '--port=1234', '--target-port=8080')
    await assertServes('rm2', 1234)
    await space.kubectl('expose', 'service', 'rm2', '--name=rm3', '--port=2345', '--target-port=8080')
    await assertServes('rm3', 2345)
  })

  behaviour(area, 'Kubectl client Kubectl label should update the label on a resource', async (t) => {
    const space = await shared.space(t)
    await space.start({ name: 'pause', script: 'trap exit TERM; sleep 1000 & wait' })
    await space.kubectl('label', 'pods', 'pause', 'testing-label=testing-label-value')
    assert.match(await space.kubectl('get', 'pod', 'pause', '-L', 'testing-label'), /testing-label-value/)
    assert.match(await space.kubectl('get', 'pod', '-l', 'testing-label', '-o', 'name'), /pod\/pause/)
    await space.kubectl('label', 'pods', 'pause', 'testing-label-')
    assert.doesNotMatch(await space.kubectl('get', 'pod', 'pause', '-L', 'testing-label'), /testing-label-value/)
    assert.equal(await space.kubectl('get', 'pod', '-l', 'testing-label', '-o', 'name'), '')
  })

  behaviour(area, 'Kubectl client Kubectl patch should add annotations for pods in rc', async (t) => {
    const space = await shared.space(t)
    await feed(space, controllerOf('agnhost-primary', 2), 'create')
    const live = await readyPods(space, 'agnhost-primary', 2)
    for (const { metadata } of live) {
      await space.kubectl('patch', 'pod', metadata.name, '-p', '{"metadata":{"annotations":{"x":"y"}}}')
      assert.equal((await space.of(pods).get(metadata.name)).metadata.annotations?.['x'], 'y')
    }
  })

  behaviour(area, "Kubectl client Kubectl replace should update a single-container pod's image", async (t) => {
    const space = await shared.space(t)
    await space.kubectl('run', 'pod', `--image=${echo}`, '--labels=run=pod')
    await space.waitFor(pods, 'pod', isReady)
    const known = JSON.parse(await space.kubectl('get', 'pod', 'pod', '-o', 'json')) as Pod
    const [container] = known.spec.containers
    const changed = { ...known, spec: { ...known.spec, containers: [{ ...container, image: 'coracle.test/nginx:2' }] } }
    await feed(space, changed, 'replace')
    const replaced = await space.waitFor(
      pods,
      'pod',
      (pod) => isReady(pod) && pod.status?.containerStatuses?.[0]?.image === 'coracle.test/nginx:2',
    )
    assert.equal(replaced.metadata.uid, known.metadata.uid)
    const { resourceVersion: _version, uid: _uid, ...metadata } = known.metadata
    await feed(space, { ...known, metadata, status: {} }, 'replace', '--force', '--grace-period=0')
    const again = await space.waitFor(pods, 'pod', (pod) => isReady(pod) && pod.metadata.uid !== known.metadata.uid)
    assert.equal(again.spec.containers[0]?.image, echo)
  })

  behaviour(
    area,
    'Kubectl client Kubectl run pod should create a pod from an image when restart is Never',
    async (t) => {
      const space = await shared.space(t)
      await space.kubectl('run', 'pod', '--restart=Never', `--image=${echo}`)
      const { spec } = await space.waitFor(pods, 'pod', isReady)
      assert.deepEqual([spec.containers.map(({ image }) => image), spec.restartPolicy], [[echo], 'Never'])
    },
  )

  behaviour(
    area,
    'Kubectl client Kubectl server-side dry-run should check if kubectl can dry-run update Pods',
    async (t) => {
      const space = await shared.space(t)
      await space.kubectl('run', 'pod', `--image=${echo}`, '--labels=run=pod')
      await space.waitFor(pods, 'pod', isReady)
      const patch = '{"spec":{"containers":[{"name": "pod","image": "coracle.test/busybox:1"}]}}'
      const printed = await space.kubectl('patch', 'pod', 'pod', '-p', patch, '--dry-run=server', '-o', 'json')
      assert.equal((JSON.parse(printed) as Pod).spec.containers[0]?.image, busybox)
      assert.equal((await space.of(pods).get('pod')).spec.containers[0]?.image, echo)
    },
  )

  behaviour(
    area,
    'Kubectl client Kubectl diff should check if kubectl diff finds a difference for Deployments',
    async (t) => {
      const space = await shared.space(t)
      const frontend = guestbookTier('frontend', 1)
      await feed(space, frontend, 'create')
      const declared = structuredClone(frontend)
      declared.spec.template.spec.containers = [{ name: 'main', image: echo }]
      const { code, stdout, stderr } = await space.runKubectl(['diff', '-f', '-'], { input: JSON.stringify(declared) })
      assert.equal(code, 1, stderr)
      assert.match(stdout, /^- +image: coracle.test\/busybox:1$/m)
      assert.match(stdout, /^\+ +image: coracle.test\/echo:1$/m)
    },
  )

  behaviour(area, 'Kubectl client Proxy server should support proxy with --port 0', async (t) => {
    const line = await startProxy(t, '--port=0')
    const port = /127\.0\.0\.1:(\d+)/.exec(line)?.[1]
    const answer = await fetch(`http://127.0.0.1:${port}/api/`)
    assert.ok(((await answer.json()) as { versions: string[] }).versions.includes('v1'))
  })

  behaviour(area, 'Kubectl client Proxy server should support --unix-socket=/path', async (t) => {
    const socketPath = join(shared.cluster.layout.dataDir, 'proxy.sock')
    await startProxy(t, `--unix-socket=${socketPath}`)
    const { versions } = JSON.parse(await getOverSocket(socketPath, '/api/')) as { versions: string[] }
    assert.ok(versions.includes('v1'))
  })

  behaviour('kubectl/logs', 'Kubectl logs logs should be able to retrieve and filter logs', async (t) => {
    const space = await shared.space(t)
    const script = 'for i in $(seq 1 100); do echo "line $i of the log"; done; trap exit TERM; sleep 1000 & wait'
    await space.kubectl('run', 'logs', `--image=${busybox}`, '--restart=Never', '--', 'sh', '-c', script)
    await space.waitFor(pods, 'logs', isReady)
    const logs = (...flags: readonly string[]): Promise<string> => space.kubectl('logs', 'logs', 'logs', ...flags)
    const whole = async (): Promise<true | undefined> => (await logs()).includes('line 100 of the log') || undefined
    await eventually(whole, { what: 'everything is written' })
    assert.equal(await logs('--tail=1'), 'line 100 of the log\n')
    assert.equal(await logs('--limit-bytes=1'), 'l')
    const [time = '', ...text] = (await logs('--tail=1', '--timestamps')).split(' ')
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d)$/)
    assert.equal(text.join(' '), 'line 100 of the log\n')
    const written = Date.parse(time)
    const passed = (): true | undefined => (Date.now() > written + 1_200 ? true : undefined)
    await eventually(passed, { what: 'the log is more than a second old' })
    assert.equal(await logs('--since=1s'), '')
    assert.equal((await logs('--since=24h')).trim().split('\n').length, 100)
  })
})

function serviceOf(name: string, port: number): object {
  const spec = { selector: labels, ports: [{ port, targetPort: 'server' }] }
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, labels }, spec }
}

/** Each `Name: value` must stand in what `kubectl describe` prints, the value at least as a beginning. */
async function assertDescribed(
  space: TestSpace,
  words: readonly string[],
  expected: Readonly<Record<string, string>>,
): Promise<void> {
  const text = await space.kubectl('describe', ...words)
  for (const [name, value] of Object.entries(expected)) {
    const lines = text.split('\n').filter((line) => line.trim().startsWith(name))
    assert.ok(
      lines.some((line) => line.includes(value)),
      `${name}: ${value} in\n${text}`,
    )
  }
}

async function startProxy(t: TestContext, ...flags: readonly string[]): Promise<string> {
  const { layout } = shared.cluster
  const args = ['proxy', '--kubeconfig', layout.kubeconfig, ...flags]
  const child: ChildProcess = spawn(await kubectlPath(), args, { stdio: ['ignore', 'pipe', 'ignore'] })
  t.after(() => child.kill())
  if (child.stdout === null) throw new Error('kubectl proxy has no output')
  for await (const line of createInterface({ input: child.stdout })) return line
  throw new Error('kubectl proxy said nothing')
}

async function getOverSocket(socketPath: string, path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  request({ socketPath, path, host: 'localhost' }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
    response.on('end', () => resolve(text))
  })
    .on('error', reject)
    .end()
  return promise
}
