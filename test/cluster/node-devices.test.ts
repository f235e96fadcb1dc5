/**
 * Goal: devices of vendors reach containers. Method: a device plugin of our own, over the real sockets of a real node,
 * and pods that ask for what it has.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Node, Pod } from '#api/types/core.v1.ts'
import {
  deviceClasses,
  nodes,
  pods,
  resourceClaims,
  resourceClaimTemplates,
  resourceSlices,
} from '#api/types/resources.ts'
import { startTestPlugin, type TestPlugin } from '#kubelet/devices/plugin.case.ts'
import { DraTestDriver } from '../dra-driver/dra-driver.ts'
import { eventually } from './harness/eventually.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import type { TestPod, TestSpace } from './harness/test-space.ts'

const shared = sharedCluster()
const resource = 'vendor.example/card'
const cards = [{ id: 'card-a' }, { id: 'card-b' }, { id: 'card-c', healthy: false }]

async function plugin(t: TestContext): Promise<TestPlugin> {
  const folder = join(shared.cluster.layout.kubeletDir, 'device-plugins')
  const file = join(folder, 'vendor-file')
  await writeFile(file, 'from the vendor')
  const started = await startTestPlugin({ folder, resource, devices: cards, file })
  t.after(() => started.stop())
  return started
}

/** The node once what it offers is as expected. */
async function nodeOffers(capacity: string | undefined, allocatable: string | undefined): Promise<Node> {
  const look = async (): Promise<Node | undefined> => {
    const node = await shared.client.resource(nodes).get('node-1')
    const { status } = node
    const isSo = status?.capacity?.[resource] === capacity && status?.allocatable?.[resource] === allocatable
    return isSo ? node : undefined
  }
  return eventually(look, { what: `the node offers ${capacity} and ${allocatable} of ${resource}` })
}

test(
  'a device plugin adds its resource to the node, and containers get devices, environment and mounts',
  { skip },
  async (t) => {
    const space = await shared.space(t)
    const running = await plugin(t)
    await nodeOffers('3', '2')
    const asks = { resources: { limits: { [resource]: '2' } } }
    const script =
      'echo $DEVICES; cat /etc/vendor; echo; ls -l /dev/card-a /dev/card-b | cut -c1-10; echo x > /dev/card-a && echo written'
    const log = await space.output({ name: 'both', script, container: asks })
    assert.equal(log, 'card-a,card-b\nfrom the vendor\ncrw-rw-rw-\ncrw-rw-rw-\nwritten\n')
    assert.deepEqual(running.calls, ['allocate card-a,card-b', 'preStart card-a,card-b'])
    await space.create({ name: 'too-many', script: 'true', container: { resources: { limits: { [resource]: '3' } } } })
    const message = await space.waitForEvent('too-many', 'FailedScheduling')
    assert.match(message, /0\/1 nodes are available: 1 Insufficient vendor\.example\/card\./)
  },
)

test(
  'a pod whose devices have failed meanwhile is refused, and the plugin takes its devices along when it goes',
  { skip },
  async (t) => {
    const space = await shared.space(t)
    const running = await plugin(t)
    await nodeOffers('3', '2')
    const asks = { resources: { limits: { [resource]: '2' } } }
    await space.start({ name: 'first', script: 'sleep 1000', container: asks })
    // Named by hand, so that the scheduler does not hold it back.
    await space.create({ name: 'second', script: 'true', container: asks, spec: { nodeName: 'node-1' } })
    const refused = await space.waitFor(pods, 'second', (pod) => pod.status?.phase === 'Failed')
    assert.match(refused.status?.reason ?? '', /^(OutOfvendor\.example\/card|UnexpectedAdmissionError)$/)
    running.tell([{ id: 'card-a', healthy: false }, { id: 'card-b' }])
    await nodeOffers('2', '1')
    const healthOf = (pod: Pod) =>
      pod.status?.containerStatuses?.[0]?.allocatedResourcesStatus?.flatMap(({ name, resources = [] }) =>
        resources.map(({ resourceID, health }) => `${name} ${resourceID} ${health}`),
      )
    await space.waitFor(pods, 'first', (pod) => healthOf(pod)?.[0] === `${resource} card-a Unhealthy`)
    await running.stop()
    await nodeOffers('2', '0')
    const checkpoint = join(shared.cluster.layout.kubeletDir, 'device-plugins/kubelet_internal_checkpoint')
    assert.match(await readFile(checkpoint, 'utf8'), /"deviceIds":\["card-a","card-b"\]/)
  },
)

const driverName = 'gpu.vendor.example'

/** A claim that has got its device, as the scheduler leaves it, and the pod that it is for. */
async function claimed(space: TestSpace, pod: TestPod): Promise<void> {
  const claims = space.of(resourceClaims)
  const spec = { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }] } }
  await claims.create({ metadata: { name: 'mine' }, spec } as never)
  const results = [{ request: 'gpu', driver: driverName, pool: 'pool', device: 'gpu-0' }]
  const allocated = { status: { allocation: { devices: { results } } } }
  await claims.patch('mine', { type: 'merge', patch: allocated }, { subresource: 'status' })
  const { metadata } = await space.create({ ...pod, spec: { ...pod.spec, nodeName: 'node-1' } })
  const reserved = { status: { reservedFor: [{ resource: 'pods', name: metadata.name, uid: metadata.uid }] } }
  await claims.patch('mine', { type: 'merge', patch: reserved }, { subresource: 'status' })
}

test('the driver of a claim makes its device ready, and is told when the last pod is gone', { skip }, async (t) => {
  const space = await shared.space(t)
  await using driver = await DraTestDriver.start({ name: driverName, kubeletDir: shared.cluster.layout.kubeletDir })
  driver.trouble = 'the card is on fire'
  const asking = {
    script: 'echo $CLAIMED; ls -l /dev/claimed | cut -c1; sleep 1000',
    container: { resources: { claims: [{ name: 'card' }] } },
    spec: { resourceClaims: [{ name: 'card', resourceClaimName: 'mine' }] },
  }
  await claimed(space, { name: 'first', ...asking })
  const trouble = await space.waitForEvent('first', 'FailedPrepareDynamicResources', /fire/)
  assert.match(trouble, /NodePrepareResources failed for ResourceClaim .*\/mine: the card is on fire/)
  driver.trouble = ''
  await space.waitFor(pods, 'first', (pod) => pod.status?.phase === 'Running')
  await eventually(async () => ((await space.log('first')) === 'mine\nc\n' ? true : undefined), {
    what: 'the container has seen its device',
  })
  await space.of(pods).delete('first')
  await space.waitGone(pods, 'first')
  await eventually(() => (driver.calls.includes('unprepare mine') ? true : undefined), { what: 'the claim is let go' })
})

test('a pod with a claim from a template gets a device, and both go with it', { skip }, async (t) => {
  const space = await shared.space(t)
  const { client } = shared
  const devices = [{ name: 'gpu-0', attributes: { model: { string: 'small' } } }]
  const pool = { name: 'pool', generation: 1, resourceSliceCount: 1 }
  const slice = { metadata: { name: 'gpu-slice' }, spec: { driver: driverName, nodeName: 'node-1', pool, devices } }
  await client.resource(resourceSlices).create(slice as never)
  const expression = `device.attributes["${driverName}"].model == "small"`
  await client
    .resource(deviceClasses)
    .create({ metadata: { name: 'gpu' }, spec: { selectors: [{ cel: { expression } }] } } as never)
  t.after(() => client.resource(deviceClasses).delete('gpu'))
  await using driver = await DraTestDriver.start({ name: driverName, kubeletDir: shared.cluster.layout.kubeletDir })
  const requests = [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }]
  await space
    .of(resourceClaimTemplates)
    .create({ metadata: { name: 'card' }, spec: { spec: { devices: { requests } } } } as never)
  const asking = {
    script: 'test -c /dev/claimed && echo $CLAIMED',
    container: { resources: { claims: [{ name: 'card', request: 'gpu' }] } },
    spec: { resourceClaims: [{ name: 'card', resourceClaimTemplateName: 'card' }] },
  }
  const log = await space.output({ name: 'first', ...asking })
  assert.match(log, /^first-card-\w+\n$/)
  // The driver may first be asked to let go of what an earlier test has left.
  assert.ok(driver.calls.includes(`prepare ${log.trim()}`))
  // The pod has ended, so its device is free for the next.
  assert.match(await space.output({ name: 'second', ...asking }), /^second-card-\w+\n$/)
  await space.of(pods).delete('first')
  await space.waitGone(resourceClaims, log.trim())
})

test('devices of a class stand for an extended resource: the scheduler makes the claim', { skip }, async (t) => {
  const space = await shared.space(t)
  const { client } = shared
  const pool = { name: 'slots', generation: 1, resourceSliceCount: 1 }
  const spec = { driver: driverName, nodeName: 'node-1', pool, devices: [{ name: 'slot-0' }] }
  await client.resource(resourceSlices).create({ metadata: { name: 'slot-slice' }, spec } as never)
  t.after(() => client.resource(resourceSlices).delete('slot-slice'))
  const extendedResourceName = 'vendor.example/slot'
  await client.resource(deviceClasses).create({ metadata: { name: 'slot' }, spec: { extendedResourceName } } as never)
  t.after(() => client.resource(deviceClasses).delete('slot'))
  await using driver = await DraTestDriver.start({
    ...{ name: driverName, kubeletDir: shared.cluster.layout.kubeletDir, request: 'container-0-request-0' },
  })
  const container = { resources: { limits: { [extendedResourceName]: '1' } } }
  const log = await space.output({ name: 'first', script: 'test -c /dev/claimed && echo $CLAIMED', container })
  assert.match(log, /^first-extended-resources-\w+\n$/)
  assert.ok(driver.calls.includes(`prepare ${log.trim()}`))
  await space.of(pods).delete('first')
  await space.waitGone(resourceClaims, log.trim())
})
