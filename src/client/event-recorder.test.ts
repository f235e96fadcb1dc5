import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notFound, StatusError } from '#api/meta/status.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import { manualClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import type { RawRequest, Transport } from './client.ts'
import { createClient } from './create-client.ts'
import { createEventRecorder } from './event-recorder.ts'

const metadata = { name: 'web', namespace: 'shop', uid: 'u1', resourceVersion: '4', creationTimestamp: '' }
const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [] } } as unknown as Pod

function recorder(refuse: (request: RawRequest, index: number) => Error | undefined = () => undefined) {
  const requests: RawRequest[] = []
  const transport: Transport = {
    async request(request) {
      requests.push(request)
      const error = refuse(request, requests.length - 1)
      if (error !== undefined) throw error
      return request.body
    },
    watch: () => assert.fail('nothing is watched'),
    as: () => transport,
  }
  const clock = manualClock()
  const client = createClient(transport)
  return { clock, requests, events: createEventRecorder({ client, clock, log: silentLog, component: 'tester' }) }
}

test('a first event is created whole', async () => {
  const { requests, events } = recorder()
  events.record(pod, 'Normal', 'Started', 'Started it', { fieldPath: 'spec.containers{c}' })
  await events.stop()
  const [request] = requests
  assert.equal(`${request?.method} ${request?.path}`, 'POST /api/v1/namespaces/shop/events')
  assert.ok(request)
  const { metadata: made, ...event } = request.body as { metadata: { name: string } }
  assert.match(made.name, /^web\.[0-9a-f]{16}$/)
  assert.deepEqual(event, {
    apiVersion: 'v1',
    kind: 'Event',
    involvedObject: {
      kind: 'Pod',
      apiVersion: 'v1',
      name: 'web',
      uid: 'u1',
      namespace: 'shop',
      resourceVersion: '4',
      fieldPath: 'spec.containers{c}',
    },
    reason: 'Started',
    message: 'Started it',
    source: { component: 'tester' },
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    count: 1,
    type: 'Normal',
    reportingComponent: 'tester',
    reportingInstance: '',
  })
})

test('repeats are counted on the same event, from other components on their own', async () => {
  const { clock, requests, events } = recorder()
  events.record(pod, 'Warning', 'BackOff', 'Back-off')
  await clock.advance(2_000)
  events.record(pod, 'Warning', 'BackOff', 'Back-off')
  events.from('other').record(pod, 'Warning', 'BackOff', 'Back-off')
  await events.stop()
  assert.deepEqual(
    requests.map((request) => request.method),
    ['POST', 'PATCH', 'POST'],
  )
  assert.deepEqual(requests[1]?.body, { count: 2, message: 'Back-off', lastTimestamp: '2026-01-01T00:00:02Z' })
})

test('an event that has expired meanwhile is created anew', async () => {
  const { requests, events } = recorder((request) =>
    request.method === 'PATCH' ? notFound({ group: '', resource: 'events', name: 'x' }) : undefined,
  )
  events.record(pod, 'Normal', 'A', 'a')
  events.record(pod, 'Normal', 'A', 'a')
  await events.stop()
  assert.deepEqual(
    requests.map((request) => request.method),
    ['POST', 'PATCH', 'POST'],
  )
})

test('many messages of one reason are combined, and a flood is cut at 25', async () => {
  const { requests, events } = recorder()
  for (let index = 0; index < 40; index++) events.record(pod, 'Normal', 'Noise', `message ${index}`)
  await events.stop()
  assert.equal(requests.filter((request) => request.method === 'POST').length, 11)
  assert.equal(requests.length, 25)
  const combined = requests[10]?.body as { message: string }
  assert.equal(combined.message, '(combined from similar events): message 10')
})

test('events about cluster-scoped objects live in default', async () => {
  const { requests, events } = recorder()
  const node = { ...pod, kind: 'Node', metadata: { name: 'n1', uid: 'n1' } } as unknown as Node
  events.record(node, 'Normal', 'NodeReady', 'ready')
  await events.stop()
  assert.equal(requests[0]?.path, '/api/v1/namespaces/default/events')
})

test('a server error is tried again, a refusal is not', async () => {
  const down = recorder((_request, index) => (index < 2 ? new StatusError('ServiceUnavailable', 'down') : undefined))
  down.events.record(pod, 'Normal', 'A', 'a')
  await down.clock.advance(1_000)
  assert.equal(down.requests.length, 3)
  const refused = recorder(() => new StatusError('Forbidden', 'no'))
  refused.events.record(pod, 'Normal', 'A', 'a')
  await refused.clock.advance(100_000)
  assert.equal(refused.requests.length, 1)
})

test('after a burst events are written at a pace, and a recorder that stops writes the rest at once', async () => {
  const { requests, events, clock } = recorder()
  const others = Array.from({ length: 500 }, (_, index) => {
    const name = `web-${index}`
    return { ...pod, metadata: { ...pod.metadata, name, uid: name } } as typeof pod
  })
  for (const other of others) events.record(other, 'Normal', 'Scheduled', 'a')
  await clock.advance(0)
  assert.equal(requests.length, 100)
  await clock.advance(1_000)
  assert.ok(requests.length > 290 && requests.length < 310, String(requests.length))
  await events.stop()
  assert.equal(requests.length, 500)
})
