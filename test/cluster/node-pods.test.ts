/**
 * Goal: what conformance promises of pods as objects with a life: their generation, their status, their end, their class
 * of service, RuntimeClasses, and what taints do to them. Method: one cluster, the API and watches on it.
 */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { WebSocket } from 'ws'
import type { Container, Node, Pod, Taint } from '#api/types/core.v1.ts'
import { nodes, pods, podTemplates, runtimeClasses, services } from '#api/types/resources.ts'
import { readKubeconfig } from '#client/kubeconfig.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { eventually } from './harness/eventually.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { busybox, isReady, type TestPod, type TestSpace } from './harness/test-space.ts'

const shared = sharedCluster()
const options = { skip, concurrency: 6 }
const idle = 'trap exit TERM; sleep 1000 & wait'

describe('generation', options, () => {
  const area = 'node/pods'

  behaviour(
    area,
    'Pods Extended (pod generation) Pod Generation pod generation should start at 1 and increment per update',
    async (t) => {
      const space = await shared.space(t)
      const own = space.of(pods)
      assert.equal((await space.create({ script: idle })).metadata.generation, 1)
      const generationAfter = async (patch: object): Promise<number | undefined> =>
        (await own.patch('pod', { type: 'strategic', patch })).metadata.generation
      assert.equal(await generationAfter({ spec: { activeDeadlineSeconds: 5000 } }), 2)
      assert.equal(
        await generationAfter({ spec: { containers: [{ name: 'main', image: 'coracle.test/nginx:1' }] } }),
        3,
      )
      assert.equal(await generationAfter({ metadata: { labels: { a: 'b' } } }), 3)
      assert.equal(await generationAfter({ spec: { activeDeadlineSeconds: 5000 } }), 3)
      const status = { conditions: [{ type: 'Own', status: 'True' }] }
      const patched = await own.patch('pod', { type: 'strategic', patch: { status } }, { subresource: 'status' })
      assert.equal(patched.metadata.generation, 3)
      await space.waitFor(pods, 'pod', (pod) => pod.status?.observedGeneration === 3)
    },
  )

  behaviour(
    area,
    'Pods Extended (pod generation) Pod Generation custom-set generation on new pods and graceful delete',
    async (t) => {
      const space = await shared.space(t)
      const metadata = { name: 'pod', generation: 100, finalizers: ['coracle.test/keep'] }
      const containers = [{ name: 'main', image: busybox, command: ['sh', '-c', idle] }]
      const made = await space.of(pods).create({ metadata, spec: { containers, terminationGracePeriodSeconds: 5 } })
      assert.equal(made.metadata.generation, 1)
      await space.waitFor(pods, 'pod', isReady)
      await space.of(pods).delete('pod')
      const ending = await space.waitFor(pods, 'pod', ({ status }) => status?.observedGeneration === 2)
      assert.equal(ending.metadata.generation, 2)
      await space.of(pods).patch('pod', { type: 'merge', patch: { metadata: { finalizers: null } } })
      await space.waitGone(pods, 'pod')
    },
  )

  behaviour(
    area,
    'Pods Extended (pod generation) Pod Generation issue 500 podspec updates and verify generation and observedGeneration eventually converge',
    async (t) => {
      const space = await shared.space(t)
      await space.create({ script: idle })
      for (let count = 0; count < 500; count++) {
        const patch = { spec: { activeDeadlineSeconds: 10_000 - count } }
        await space.of(pods).patch('pod', { type: 'strategic', patch })
      }
      const pod = await space.waitFor(pods, 'pod', ({ status }) => status?.observedGeneration === 501)
      assert.equal(pod.metadata.generation, 501)
    },
  )

  behaviour(
    area,
    'Pods Extended Pods Set QOS Class should be set on Pods with matching resource requests and limits for memory and cpu',
    async (t) => {
      const space = await shared.space(t)
      const amounts = { cpu: '100m', memory: '100Mi' }
      const made = await space.create({
        script: idle,
        container: { resources: { requests: amounts, limits: amounts } },
      })
      assert.equal(made.status?.qosClass, 'Guaranteed')
      const ready = await space.waitFor(pods, 'pod', isReady)
      assert.equal(ready.status?.qosClass, 'Guaranteed')
    },
  )
})

describe('pods', options, () => {
  const area = 'common/node/pods'

  behaviour(area, 'Pods should allow activeDeadlineSeconds to be updated', async (t) => {
    const space = await shared.space(t)
    await space.start({ script: idle, spec: { activeDeadlineSeconds: 30 } })
    await space.of(pods).patch('pod', { type: 'strategic', patch: { spec: { activeDeadlineSeconds: 1 } } })
    const { status } = await space.waitFor(pods, 'pod', (pod) => pod.status?.phase === 'Failed')
    assert.deepEqual(
      [status?.reason, status?.message],
      ['DeadlineExceeded', 'Pod was active on the node longer than the specified deadline'],
    )
  })

  behaviour(area, 'Pods should be submitted and removed', async (t) => {
    const space = await shared.space(t)
    const { resourceVersion } = await space.of(pods).list({ labelSelector: 'time=now' })
    await space.start({ script: idle, labels: { time: 'now' }, spec: { terminationGracePeriodSeconds: 5 } })
    assert.equal((await space.of(pods).list({ labelSelector: 'time=now' })).items.length, 1)
    await space.of(pods).delete('pod')
    const seen = []
    for await (const event of space.of(pods).watch({ labelSelector: 'time=now', resourceVersion })) {
      if (event.type === 'BOOKMARK') continue
      seen.push(event.type)
      if (event.type !== 'DELETED') continue
      assert.ok(event.object.metadata.deletionTimestamp)
      break
    }
    assert.equal(seen[0], 'ADDED')
    assert.deepEqual((await space.of(pods).list({ labelSelector: 'time=now' })).items, [])
  })

  behaviour(area, 'Pods should be updated', async (t) => {
    const space = await shared.space(t)
    await space.start({ script: idle, labels: { time: 'then' } })
    const pod = await space.of(pods).get('pod')
    await eventually(
      async () => {
        const current = await space.of(pods).get('pod')
        return space.of(pods).update({ ...current, metadata: { ...current.metadata, labels: { time: 'later' } } })
      },
      { what: 'the labels are updated' },
    )
    const [found] = (await space.of(pods).list({ labelSelector: 'time=later' })).items
    assert.equal(found?.metadata.uid, pod.metadata.uid)
  })

  behaviour(area, 'Pods should contain environment variables for services', async (t) => {
    const space = await shared.space(t)
    const spec = { ports: [{ port: 8765, targetPort: 8080 }], selector: { name: 'server' } }
    const { spec: made } = await space.of(services).create({ metadata: { name: 'fooservice' }, spec })
    // The node's kubelet learns of the Service by a watch of its own.
    const log = await eventually(
      async () => {
        const seen = await space.output({ name: `pod-${Math.floor(performance.now())}`, script: 'env' })
        return seen.includes('FOOSERVICE') ? seen : undefined
      },
      { what: 'a pod sees the Service' },
    )
    const address = made.clusterIP ?? ''
    for (const line of [
      `FOOSERVICE_SERVICE_HOST=${address}`,
      'FOOSERVICE_SERVICE_PORT=8765',
      `FOOSERVICE_PORT=tcp://${address}:8765`,
      'FOOSERVICE_PORT_8765_TCP_PORT=8765',
      'FOOSERVICE_PORT_8765_TCP_PROTO=tcp',
      `FOOSERVICE_PORT_8765_TCP=tcp://${address}:8765`,
      `FOOSERVICE_PORT_8765_TCP_ADDR=${address}`,
    ])
      assert.ok(log.split('\n').includes(line), `${line} in ${log}`)
  })

  behaviour(area, 'Pods should delete a collection of pods', async (t) => {
    const space = await shared.space(t)
    const names = ['pod-1', 'pod-2', 'pod-3']
    await Promise.all(names.map((name) => space.create({ name, script: idle, labels: { type: 'Testing' } })))
    await space.of(pods).deleteCollection({ labelSelector: 'type=Testing' })
    await Promise.all(names.map((name) => space.waitGone(pods, name)))
  })

  behaviour(area, 'Pods should get a host IP', async (t) => {
    const space = await shared.space(t)
    const { status } = await space.start({ script: idle })
    const node = await shared.client.resource(nodes).get('node-1')
    const address = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address
    assert.deepEqual([status?.hostIP, status?.hostIPs], [address, [{ ip: address }]])
  })

  behaviour(area, 'Pods should patch a pod status', async (t) => {
    const space = await shared.space(t)
    await space.start({ script: idle })
    const patch = { status: { message: 'Patched by e2e test', reason: 'E2E' } }
    const { status } = await space.of(pods).patch('pod', { type: 'strategic', patch }, { subresource: 'status' })
    assert.deepEqual([status?.message, status?.reason], ['Patched by e2e test', 'E2E'])
  })

  behaviour(area, 'Pods should run through the lifecycle of Pods and PodStatus', async (t) => {
    const space = await shared.space(t)
    const own = space.of(pods)
    await space.start({ script: idle, labels: { life: 'cycle' } })
    const patch = {
      metadata: { labels: { life: 'patched' } },
      spec: { containers: [{ name: 'main', image: 'coracle.test/nginx:1' }] },
    }
    await own.patch('pod', { type: 'strategic', patch })
    const patched = await space.waitFor(
      pods,
      'pod',
      (pod) => (pod.status?.containerStatuses?.[0]?.restartCount ?? 0) === 1 && isReady(pod),
    )
    assert.deepEqual(
      [patched.metadata.labels, patched.spec.containers[0]?.image],
      [{ life: 'patched' }, 'coracle.test/nginx:1'],
    )
    const condition = { type: 'Own', status: 'True', reason: 'Said' } as const
    await eventually(
      async () => {
        const pod = await own.get('pod')
        return own.updateStatus({
          ...pod,
          status: { ...pod.status, conditions: [...(pod.status?.conditions ?? []), condition] },
        })
      },
      { what: 'the status is replaced' },
    )
    const seen = await own.get('pod')
    assert.equal(seen.status?.conditions?.find(({ type }) => type === 'Own')?.reason, 'Said')
    const { items } = await shared.client.resource(pods).list({ labelSelector: 'life=patched' })
    assert.deepEqual(
      items.map(({ metadata }) => metadata.uid),
      [seen.metadata.uid],
    )
    await own.deleteCollection({ labelSelector: 'life=patched' })
    await space.waitGone(pods, 'pod')
  })

  behaviour(area, 'Pods should support remote command execution over websockets', async (t) => {
    const space = await shared.space(t)
    await space.start({ script: idle })
    const query = new URLSearchParams([
      ...['cat', '/etc/resolv.conf'].map((word) => ['command', word]),
      ['container', 'main'],
      ['stdout', '1'],
      ['stderr', '1'],
    ])
    const messages = await webSocketMessages(`${pathOf(space)}/exec?${query}`, 'v4.channel.k8s.io')
    const output = messages.filter(([channel]) => channel === 1).map((bytes) => bytes.subarray(1).toString())
    assert.match(output.join(''), /^nameserver /m)
  })

  behaviour(area, 'Pods should support retrieving logs from the container over websockets', async (t) => {
    const space = await shared.space(t)
    await space.output({ script: 'echo container is alive' })
    const messages = await webSocketMessages(`${pathOf(space)}/log?container=main`, 'binary.k8s.io')
    assert.equal(Buffer.concat(messages).toString(), 'container is alive\n')
  })
})

const pathOf = ({ namespace }: TestSpace): string => `/api/v1/namespaces/${namespace}/pods/pod`

/** Everything a web socket of the API server says until the server closes it. */
async function webSocketMessages(path: string, protocol: string): Promise<readonly Buffer[]> {
  const { server, ca, certificate, key } = readKubeconfig(shared.cluster.layout.kubeconfig)
  const { promise, resolve, reject } = Promise.withResolvers<readonly Buffer[]>()
  const socket = new WebSocket(`${server.replace('https', 'wss')}${path}`, [protocol], { ca, cert: certificate, key })
  const messages: Buffer[] = []
  socket.on('message', (message: Buffer) => messages.push(message))
  socket.on('error', reject)
  socket.on('close', () => resolve(messages))
  return promise
}

describe('pod templates', options, () => {
  const area = 'common/node/podtemplates'
  const template = (space: TestSpace, name: string) => {
    const container: Container = { name: 'main', image: busybox }
    return space.of(podTemplates).create({
      metadata: { name, labels: { set: 'test' } },
      template: { metadata: { labels: { set: 'test' } }, spec: { containers: [container] } },
    })
  }

  behaviour(area, 'PodTemplates should run the lifecycle of PodTemplates', async (t) => {
    const space = await shared.space(t)
    const own = space.of(podTemplates)
    await template(space, 'life')
    assert.deepEqual(
      (await shared.client.resource(podTemplates).list({ labelSelector: 'set=test' })).items.length >= 1,
      true,
    )
    const patch = { metadata: { labels: { patched: 'true' } } }
    await own.patch('life', { type: 'strategic', patch })
    assert.equal((await own.get('life')).metadata.labels?.['patched'], 'true')
    await own.delete('life')
    assert.deepEqual((await own.list()).items, [])
  })

  behaviour(area, 'PodTemplates should replace a pod template', async (t) => {
    const space = await shared.space(t)
    const made = await template(space, 'replaced')
    const metadata = { ...made.metadata, annotations: { updated: 'true' } }
    const replaced = await space.of(podTemplates).update({ ...made, metadata })
    assert.deepEqual(replaced.metadata.annotations, { updated: 'true' })
  })

  behaviour(area, 'PodTemplates should delete a collection of pod templates', async (t) => {
    const space = await shared.space(t)
    await Promise.all(['a', 'b', 'c'].map((name) => template(space, name)))
    await space.of(podTemplates).deleteCollection({ labelSelector: 'set=test' })
    assert.deepEqual((await space.of(podTemplates).list()).items, [])
  })
})

describe('runtime classes', options, () => {
  const area = 'common/node/runtimeclass'
  const classes = () => shared.client.resource(runtimeClasses)
  const isScheduled = ({ status }: Pod): boolean =>
    status?.conditions?.some((each) => each.type === 'PodScheduled' && each.status === 'True') ?? false

  behaviour(area, 'RuntimeClass should reject a Pod requesting a non-existent RuntimeClass', async (t) => {
    const space = await shared.space(t)
    const made = space.create({ spec: { runtimeClassName: 'nonexistent' } })
    await assert.rejects(made, /pods "pod" is forbidden: pod rejected: RuntimeClass "nonexistent" not found/)
  })

  behaviour(area, 'RuntimeClass should reject a Pod requesting a deleted RuntimeClass', async (t) => {
    const space = await shared.space(t)
    const name = `${space.namespace}-deleted`
    await classes().create({ metadata: { name }, handler: 'runc' })
    await classes().delete(name)
    await assert.rejects(
      space.create({ spec: { runtimeClassName: name } }),
      /pod rejected: RuntimeClass ".*" not found/,
    )
  })

  behaviour(area, 'RuntimeClass should schedule a Pod requesting a RuntimeClass without PodOverhead', async (t) => {
    const space = await shared.space(t)
    const name = `${space.namespace}-plain`
    await classes().create({ metadata: { name }, handler: 'runc' })
    await space.create({ script: idle, spec: { runtimeClassName: name } })
    await space.waitFor(pods, 'pod', (pod) => isScheduled(pod) && isReady(pod))
    await classes().delete(name)
  })

  behaviour(
    area,
    'RuntimeClass should schedule a Pod requesting a RuntimeClass and initialize its Overhead',
    async (t) => {
      const space = await shared.space(t)
      const name = `${space.namespace}-overhead`
      await classes().create({
        metadata: { name },
        handler: 'unheard-of',
        overhead: { podFixed: { cpu: '10m', memory: '1Mi' } },
      })
      await space.create({ script: idle, spec: { runtimeClassName: name } })
      const pod = await space.waitFor(pods, 'pod', isScheduled)
      assert.deepEqual(pod.spec.overhead, { cpu: '10m', memory: '1Mi' })
      assert.match(
        await space.waitForEvent('pod', 'FailedCreatePodSandBox'),
        /no runtime for "unheard-of" is configured/,
      )
      await classes().delete(name)
    },
  )

  behaviour(area, 'RuntimeClass should support RuntimeClasses API operations', async (t) => {
    const get = (path: string): Promise<unknown> => shared.client.raw({ method: 'GET', path })
    assert.match(JSON.stringify(await get('/apis')), /"groupVersion":"node\.k8s\.io\/v1"/)
    assert.match(JSON.stringify(await get('/apis/node.k8s.io')), /"version":"v1"/)
    assert.match(JSON.stringify(await get('/apis/node.k8s.io/v1')), /"name":"runtimeclasses"/)
    const space = await shared.space(t)
    const names = ['a', 'b', 'c'].map((name) => `${space.namespace}-${name}`)
    const labels = { test: space.namespace }
    const labelSelector = `test=${space.namespace}`
    for (const name of names) await classes().create({ metadata: { name, labels }, handler: 'handler' })
    const { items, resourceVersion } = await classes().list({ labelSelector })
    assert.equal(items.length, 3)
    const [name = ''] = names
    await classes().patch(name, { type: 'merge', patch: { metadata: { annotations: { patched: 'true' } } } })
    const got = await classes().get(name)
    await classes().update({ ...got, metadata: { ...got.metadata, annotations: { patched: 'true', updated: 'true' } } })
    await classes().delete(name)
    await classes().deleteCollection({ labelSelector })
    const seen = []
    for await (const event of classes().watch({ labelSelector, resourceVersion })) {
      if (event.type !== 'BOOKMARK') seen.push(event.type)
      if (seen.length === 5) break
    }
    assert.deepEqual(seen, ['MODIFIED', 'MODIFIED', 'DELETED', 'DELETED', 'DELETED'])
  })
})

const key = 'kubernetes.io/e2e-evict-taint-key'

/** Changes the node's taints and returns the node. */
function taint(change: (taints: readonly Taint[]) => readonly Taint[]): Promise<Node> {
  const own = shared.client.resource(nodes)
  return eventually(
    async () => {
      const node = await own.get('node-1')
      return own.update({ ...node, spec: { ...node.spec, taints: [...change(node.spec.taints ?? [])] } })
    },
    { what: 'the taints are changed' },
  )
}

const tolerating = (seconds: number, value = 'evictTaintVal'): TestPod['spec'] => ({
  tolerations: [{ key, value, operator: 'Equal', effect: 'NoExecute', tolerationSeconds: seconds }],
})

describe('nodes', { skip }, () => {
  behaviour('node/taints', 'NoExecuteTaintManager Multiple Pods evicts pods with minTolerationSeconds', async (t) => {
    const space = await shared.space(t)
    await space.start({ name: 'short', script: idle, spec: tolerating(1) as object })
    await space.start({ name: 'long', script: idle, spec: tolerating(3) as object })
    await taint((taints) => [...taints, { key, value: 'evictTaintVal', effect: 'NoExecute' }])
    try {
      await space.waitGone(pods, 'short')
      assert.equal((await space.of(pods).get('long')).metadata.deletionTimestamp, undefined)
      await space.waitGone(pods, 'long')
    } finally {
      await taint((taints) => taints.filter((each) => each.key !== key))
    }
  })

  behaviour('node/taints', 'NoExecuteTaintManager Single Pod removing taint cancels eviction', async (t) => {
    const space = await shared.space(t)
    const forever = { key: 'coracle.test/clock', operator: 'Exists', effect: 'NoExecute' } as const
    const kept = [...(tolerating(2)?.tolerations ?? []), forever]
    const clock = [...(tolerating(1000)?.tolerations ?? []), { ...forever, tolerationSeconds: 3 }]
    await space.start({ name: 'kept', script: idle, spec: { tolerations: kept } })
    await space.start({ name: 'clock', script: idle, spec: { tolerations: clock } })
    await taint((taints) => [
      ...taints,
      { key, value: 'evictTaintVal', effect: 'NoExecute' },
      { key: forever.key, effect: 'NoExecute' },
    ])
    try {
      await taint((taints) => taints.filter((each) => each.key !== key))
      // Evicted later than the other would have been.
      await space.waitGone(pods, 'clock')
      assert.equal((await space.of(pods).get('kept')).metadata.deletionTimestamp, undefined)
    } finally {
      await taint((taints) => taints.filter((each) => each.key !== key && each.key !== forever.key))
    }
  })

  behaviour('node/node_lifecycle', 'Node Lifecycle should run through the lifecycle of a node', async (t) => {
    const own = shared.client.resource(nodes)
    const labels = { test: 'lifecycle' }
    const made = await own.create({ metadata: { name: 'fake-node', labels }, spec: {} })
    assert.equal((await own.get('fake-node')).metadata.uid, made.metadata.uid)
    await own.patch('fake-node', { type: 'strategic', patch: { metadata: { labels: { patched: 'true' } } } })
    const condition = { type: 'Own', status: 'True' } as const
    const patched = await own.patch(
      'fake-node',
      { type: 'strategic', patch: { status: { conditions: [condition] } } },
      { subresource: 'status' },
    )
    assert.ok(patched.status?.conditions?.some(({ type }) => type === 'Own'))
    const { items } = await own.list({ labelSelector: 'test=lifecycle' })
    assert.deepEqual(
      items.map(({ metadata }) => metadata.labels?.['patched']),
      ['true'],
    )
    await eventually(
      async () => {
        const node = await own.get('fake-node')
        return own.update({
          ...node,
          metadata: { ...node.metadata, labels: { ...node.metadata.labels, updated: 'true' } },
        })
      },
      { what: 'the node is updated' },
    )
    await own.deleteCollection({ labelSelector: 'updated=true' })
    await assert.rejects(own.get('fake-node'), /nodes "fake-node" not found/)
    assert.ok(t.name)
  })
})
