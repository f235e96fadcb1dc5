/**
 * Goal: a machine that goes down waits until the node has ended its pods in order. Method: the real systemd-logind on a
 * bus of its own, a cluster that is told of this bus, and pods that take their time.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { Node, Pod } from '#api/types/core.v1.ts'
import { nodes, pods } from '#api/types/resources.ts'
import { eventually } from './harness/eventually.ts'
import { LoginMachine } from './harness/login-machine.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import { TestSpace } from './harness/test-space.ts'

let started: LoginMachine | undefined
const shared = sharedCluster({
  async flags(folder) {
    started = await LoginMachine.start()
    process.env['DBUS_SYSTEM_BUS_ADDRESS'] = started.address
    const config = join(folder, 'kubelet.yaml')
    await writeFile(
      config,
      `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
shutdownGracePeriod: 12s
shutdownGracePeriodCriticalPods: 4s
`,
    )
    return ['--config', config]
  },
})
after(async () => {
  await started?.[Symbol.asyncDispose]()
})

const lock = 'shutdown delay kubelet: Kubelet needs time to handle node shutdown'
const machine = (): LoginMachine => started as LoginMachine

function eventuallyInhibited(by: readonly string[]): Promise<true> {
  const look = async (): Promise<true | undefined> =>
    (await machine().inhibitors()).join() === by.join() ? true : undefined
  return eventually(look, { what: `inhibited by ${by.join() || 'nobody'}` })
}

function readyCondition({ status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return `${ready?.status} ${ready?.reason}`
}

describe('the end of the machine', { skip }, () => {
  const space = (): TestSpace =>
    new TestSpace({ client: shared.client, kubectl: shared.cluster.kubectl, namespace: 'default' })

  test('systemd-logind is made to wait as long as the pods may take, and holds a lock', async () => {
    await shared.client.resource(nodes).get('node-1')
    await eventuallyInhibited([lock])
    assert.equal(await machine().property('InhibitDelayMaxUSec'), 12_000_000n)
    assert.match(readFileSync(shared.cluster.layout.logindDropIn, 'utf8'), /^InhibitDelayMaxSec=12$/m)
  })

  test('a systemd-logind that dies is followed again', async () => {
    await machine().killLogind()
    await machine().startLogind()
    await eventuallyInhibited([lock])
  })

  test('the lock ends with the node, whatever ends it, and comes back with it', async () => {
    await shared.cluster.signal('SIGKILL')
    await eventuallyInhibited([])
    await shared.cluster.up()
    await eventuallyInhibited([lock])
  })

  test('the machine goes down when the pods have ended, and not before', async () => {
    const script = 'trap "sleep 3; echo done; exit 0" TERM; while true; do sleep 0.2; done'
    await space().start({ name: 'slow', script, spec: { terminationGracePeriodSeconds: 30 } })
    assert.equal(await machine().powerOff(), 'poweroff.target')
    const { status } = await space().of(pods).get('slow')
    const { phase, reason, containerStatuses } = status as NonNullable<Pod['status']>
    assert.deepEqual([phase, reason], ['Failed', 'Terminated'])
    assert.equal(containerStatuses?.[0]?.state?.terminated?.exitCode, 0)
    const node = await space().waitFor(nodes, 'node-1', (each) => readyCondition(each).startsWith('False'))
    assert.equal(readyCondition(node), 'False KubeletNotReady')
    assert.match(node.status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '', /node is shutting down/)
    await space().waitForEvent('node-1', 'NodeShutdown', /^Shutdown manager detected shutdown event$/)
    assert.deepEqual(await machine().inhibitors(), [])
    const metrics = await shared.cluster.kubectl.output('get', '--raw', '/api/v1/nodes/node-1/proxy/metrics')
    assert.match(metrics, /^kubelet_graceful_shutdown_end_time_seconds 1\d{9}/m)
  })

  test('a machine that stays after all has its node back, with a lock', async () => {
    machine().callOff()
    await space().waitFor(nodes, 'node-1', (each) => readyCondition(each) === 'True KubeletReady')
    await space().waitForEvent('node-1', 'NodeShutdown', /^Shutdown manager detected shutdown cancellation$/)
    await eventuallyInhibited([lock])
    await space().start({ name: 'next', script: 'sleep 1000', spec: { terminationGracePeriodSeconds: 0 } })
  })

  test('nothing of it is left when the cluster is removed', async () => {
    const { logindDropIn } = shared.cluster.layout
    await shared.cluster.down()
    await eventuallyInhibited([])
    assert.ok(!existsSync(logindDropIn))
  })
})
