/**
 * Goal: what becomes of pods that are deleted or have ended, and what of them stays on the node. Method: one cluster;
 * finalizers keep the objects of pods to be looked at.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { podCondition } from '#api/core/v1/pod-facts.ts'
import type { Container, Pod } from '#api/types/core.v1.ts'
import { nodes, pods } from '#api/types/resources.ts'
import { eventually } from './harness/eventually.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { outputOf } from './harness/run-program.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { busybox, isReady, podOf, type TestPod, type TestSpace } from './harness/test-space.ts'

const shared = sharedCluster({
  async flags(dir) {
    const config = join(dir, 'kubelet.yaml')
    const head = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'
    await writeFile(config, `${head}crashLoopBackOff: { maxContainerRestartPeriod: 1s }\n`)
    return ['--config', config]
  },
})
const options = { skip, concurrency: 6 }
const finalizer = 'coracle.test/keep'

/** A pod whose object stays until the test is over. */
async function createKept(t: TestContext, space: TestSpace, pod: TestPod): Promise<Pod> {
  const made = podOf(pod)
  const kept = await space.of(pods).create({ ...made, metadata: { ...made.metadata, finalizers: [finalizer] } })
  t.after(async () => {
    const patch = { metadata: { finalizers: null } }
    await space.of(pods).patch(kept.metadata.name, { type: 'merge', patch })
  })
  return kept
}

const hasEnded = ({ status }: Pod): boolean => status?.phase === 'Failed' || status?.phase === 'Succeeded'
const untilEnded = (space: TestSpace, name = 'pod'): Promise<Pod> => space.waitFor(pods, name, hasEnded)

describe('a pod that is deleted', options, () => {
  for (const restartPolicy of ['Always', 'OnFailure', 'Never'] as const) {
    for (const [code, phase] of [
      [0, 'Succeeded'],
      [3, 'Failed'],
    ] as const) {
      test(`has ${phase.toLowerCase()} when its container ends with ${code}, also where it restarts ${restartPolicy}`, async (t) => {
        const space = await shared.space(t)
        const script = `trap 'exit ${code}' TERM; sleep 1000 & wait`
        await createKept(t, space, { script, spec: { restartPolicy, terminationGracePeriodSeconds: 30 } })
        await space.waitFor(pods, 'pod', isReady)
        await space.of(pods).delete('pod')
        const { status } = await untilEnded(space)
        assert.equal(status?.phase, phase)
        const [main] = status.containerStatuses ?? []
        assert.deepEqual([main?.state?.terminated?.exitCode, main?.restartCount, main?.ready], [code, 0, false])
      })
    }
  }

  test('has failed when one of its containers has', async (t) => {
    const space = await shared.space(t)
    const container = (name: string, code: number): Container => ({
      name,
      image: busybox,
      command: ['sh', '-c', `trap 'exit ${code}' TERM; sleep 1000 & wait`],
    })
    const containers = [container('good', 0), container('bad', 1)]
    await createKept(t, space, { spec: { containers, terminationGracePeriodSeconds: 30 } })
    await space.waitFor(pods, 'pod', isReady)
    await space.of(pods).delete('pod')
    assert.equal((await untilEnded(space)).status?.phase, 'Failed')
  })

  test('has failed when it never ran', async (t) => {
    const space = await shared.space(t)
    const container = { image: 'coracle.test/nowhere:1', imagePullPolicy: 'Never' } as const
    await createKept(t, space, { container, spec: { terminationGracePeriodSeconds: 30 } })
    const isHeld = ({ status }: Pod): boolean =>
      status?.containerStatuses?.[0]?.state?.waiting?.reason === 'ErrImageNeverPull'
    await space.waitFor(pods, 'pod', isHeld)
    await space.of(pods).delete('pod')
    const { status } = await untilEnded(space)
    const { reason, exitCode } = status?.containerStatuses?.[0]?.state?.terminated ?? {}
    assert.deepEqual([status?.phase, reason, exitCode], ['Failed', 'ContainerStatusUnknown', 137])
  })

  test('has failed when it was in the middle of its init containers', async (t) => {
    const space = await shared.space(t)
    const initContainers = [
      { name: 'first', image: busybox, command: ['sh', '-c', 'trap "exit 0" TERM; sleep 1000 & wait'] },
    ]
    await createKept(t, space, { script: 'true', spec: { initContainers, terminationGracePeriodSeconds: 30 } })
    const runs = ({ status }: Pod): boolean => status?.initContainerStatuses?.[0]?.state?.running !== undefined
    await space.waitFor(pods, 'pod', runs)
    await space.of(pods).delete('pod')
    const { status } = await untilEnded(space)
    assert.equal(status?.phase, 'Failed')
    assert.equal(status.containerStatuses?.[0]?.restartCount, 0)
  })

  test('leaves nothing on the node although its object stays', async (t) => {
    const space = await shared.space(t)
    const pod = await createKept(t, space, { script: 'sleep 1000', spec: { volumes: [{ name: 'v', emptyDir: {} }] } })
    await space.waitFor(pods, 'pod', isReady)
    const folder = join(shared.cluster.layout.kubeletDir, 'pods', pod.metadata.uid)
    assert.ok(existsSync(folder))
    await space.of(pods).delete('pod')
    await eventually(() => !existsSync(folder) || undefined, { what: 'the folder of the pod is gone' })
    const { status } = await untilEnded(space)
    assert.equal(podCondition({ status } as Pod, 'PodReadyToStartContainers')?.status, 'False')
  })
})

describe('containers that have ended', options, () => {
  test('are not kept on the node but for the last one', async (t) => {
    const space = await shared.space(t)
    const script =
      'test -e /v/3 && sleep 1000; test -e /v/2 && touch /v/3; test -e /v/1 && touch /v/2; touch /v/1; exit 1'
    const volumes = [{ name: 'v', emptyDir: {} }]
    const container = { volumeMounts: [{ name: 'v', mountPath: '/v' }] }
    const { metadata } = await space.create({ script, container, spec: { volumes, restartPolicy: 'Always' } })
    const isThird = (pod: Pod): boolean => (pod.status?.containerStatuses?.[0]?.restartCount ?? 0) >= 3 && isReady(pod)
    await space.waitFor(pods, 'pod', isThird, 120_000)
    const filter = `labels."io.kubernetes.pod.uid"==${metadata.uid},labels."io.kubernetes.container.name"==main`
    const { socket } = shared.cluster.layout.containerd
    const ctr = ['--address', socket, '--namespace', 'k8s.io', 'containers', 'ls', '-q', filter]
    const fewLeft = async (): Promise<true | undefined> =>
      (await outputOf('ctr', ctr)).trim().split('\n').length <= 2 || undefined
    await eventually(fewLeft, { what: 'old containers are removed' })
  })
})

test(
  'a pod that has run to its end is not run again by the next kubelet, and its share of the node is free',
  { skip },
  async (t) => {
    const space = await shared.space(t)
    const { status: node } = await shared.client.resource(nodes).get('node-1')
    const resources = { requests: { cpu: node?.allocatable?.['cpu'] ?? '1' } }
    const { pod } = await space.run({ script: 'true', container: { resources }, spec: { nodeName: 'node-1' } })
    await shared.cluster.signal('SIGKILL')
    await shared.cluster.up()
    const next = { name: 'next', script: 'true', container: { resources }, spec: { nodeName: 'node-1' } }
    assert.equal((await space.run(next)).pod.status?.phase, 'Succeeded')
    const { status } = await space.of(pods).get('pod')
    assert.deepEqual([status?.phase, status?.containerStatuses], [pod.status?.phase, pod.status?.containerStatuses])
  },
)
