/**
 * Goal: both event APIs work as in a conformant cluster. Method: the API server and all controllers in this process, one
 * test for each behaviour, named after it.
 */
import assert from 'node:assert/strict'
import type { KubernetesObject, New, Resource } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import { events, eventsGroupEvents } from '#api/types/resources.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { wholeCluster, type WholeCluster } from '../simulation/whole-cluster.ts'
import { namespace } from './harness/workloads.ts'

const label = 'testevent-set=true'
const labels = { 'testevent-set': 'true' }
const eventTime = '2026-01-01T00:00:00.000000Z'

const coreEvent = (name: string) => ({
  metadata: { name, labels },
  message: `This is ${name}`,
  reason: 'Test',
  type: 'Normal',
  count: 1,
  involvedObject: { namespace },
})

const newEvent = (name: string) => ({
  metadata: { name, labels },
  regarding: { namespace },
  note: `This is ${name}`,
  reason: 'Test',
  type: 'Normal',
  action: 'Do',
  eventTime,
  reportingController: 'test-controller',
  reportingInstance: 'test-node',
})

async function showCollection<T extends KubernetesObject>(
  { client, until }: WholeCluster,
  resource: Resource<T>,
  make: (name: string) => object,
): Promise<void> {
  const collection = client.resource(resource, namespace)
  for (const name of ['first', 'second', 'third']) await collection.create(make(name) as New<T>)
  const count = async (): Promise<number> => (await collection.list({ labelSelector: label })).items.length
  assert.equal(await count(), 3)
  await collection.deleteCollection({ labelSelector: label })
  await until('all are gone', async () => (await count()) === 0)
}

behaviour('instrumentation/core_events', 'Events should delete a collection of events', async (t) => {
  await showCollection(await wholeCluster(t, { nodes: [] }), events, coreEvent)
})

behaviour('instrumentation/events', 'Events API should delete a collection of events', async (t) => {
  await showCollection(await wholeCluster(t, { nodes: [] }), eventsGroupEvents, newEvent)
})

behaviour('instrumentation/core_events', 'Events should manage the lifecycle of an event', async (t) => {
  const { client } = await wholeCluster(t, { nodes: [] })
  const collection = client.resource(events, namespace)
  await collection.create(coreEvent('event-test') as never)
  assert.equal((await client.resource(events).list({ labelSelector: label })).items.length, 1)
  const patched = await collection.patch('event-test', { type: 'strategic', patch: { message: 'patched' } })
  assert.equal(patched.message, 'patched')
  const series = { count: 100, lastObservedTime: eventTime }
  await collection.update({ ...patched, series })
  assert.equal((await collection.get('event-test')).series?.count, 100)
  await collection.delete('event-test')
  await assert.rejects(collection.get('event-test'), (error) => isStatusError(error, 'NotFound'))
  assert.deepEqual((await client.resource(events).list({ labelSelector: label })).items, [])
})

behaviour(
  'instrumentation/events',
  'Events API should ensure that an event can be fetched, patched, deleted, and listed',
  async (t) => {
    const { client } = await wholeCluster(t, { nodes: [] })
    const collection = client.resource(eventsGroupEvents, namespace)
    const created = await collection.create(newEvent('event-test') as never)
    assert.equal((await client.resource(eventsGroupEvents).list({ labelSelector: label })).items.length, 1)
    const selected = await collection.list({ fieldSelector: 'reportingController=test-controller' })
    assert.deepEqual(
      selected.items.map(({ metadata }) => metadata.uid),
      [created.metadata.uid],
    )
    const patch = { series: { count: 2, lastObservedTime: eventTime } }
    const patched = await collection.patch('event-test', { type: 'strategic', patch })
    assert.equal(patched.series?.count, 2)
    await collection.update({ ...patched, series: { count: 100, lastObservedTime: eventTime } })
    assert.equal((await collection.get('event-test')).series?.count, 100)
    await collection.delete('event-test')
    assert.deepEqual((await collection.list({ labelSelector: label })).items, [])
  },
)
