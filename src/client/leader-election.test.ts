import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alreadyExists, conflict, notFound } from '#api/meta/status.ts'
import type { Lease } from '#api/types/coordination.v1.ts'
import { manualClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { seededRandom } from '#lib/random.ts'
import type { Transport } from './client.ts'
import { createClient } from './create-client.ts'
import { runAsLeader } from './leader-election.ts'

const target = { group: 'coordination.k8s.io', resource: 'leases', name: 'x' }

/** One stored lease with optimistic concurrency: all that an election asks of a server. */
function leaseRegister() {
  const state: { stored: Lease | undefined; reachable: boolean } = { stored: undefined, reachable: true }
  let revision = 0
  const transport: Transport = {
    async request({ method, body }) {
      if (!state.reachable) throw new Error('unreachable')
      if (method === 'GET') {
        if (state.stored === undefined) throw notFound(target)
        return state.stored
      }
      const lease = body as Lease
      if (method === 'POST' && state.stored !== undefined) throw alreadyExists(target)
      const given = lease.metadata.resourceVersion
      if (method === 'PUT' && given !== state.stored?.metadata.resourceVersion) throw conflict(target)
      state.stored = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(++revision) } }
      return state.stored
    },
    watch: () => assert.fail('an election does not watch'),
    as: () => transport,
  }
  return { state, transport }
}

function candidates() {
  const { state, transport } = leaseRegister()
  const clock = manualClock()
  const leading: string[] = []
  const enter = (identity: string, transportOfThis = transport) => {
    const stopping = new AbortController()
    const options = {
      client: createClient(transportOfThis),
      clock,
      random: seededRandom(1),
      log: silentLog,
      lease: { namespace: 'kube-system', name: 'x' },
      identity,
      signal: stopping.signal,
    }
    const ended = runAsLeader(options, async (signal) => {
      leading.push(identity)
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    })
    return { ended, stop: () => stopping.abort() }
  }
  return { clock, leading, state, transport, enter }
}

test('one leads; when it stops it releases and the other follows soon', async () => {
  const { clock, leading, enter } = candidates()
  const first = enter('a')
  await clock.advance(10)
  const second = enter('b')
  await clock.advance(60_000)
  assert.deepEqual(leading, ['a'])
  first.stop()
  await clock.advance(5_000)
  assert.equal(await first.ended, 'stopped')
  assert.deepEqual(leading, ['a', 'b'])
  second.stop()
  await clock.advance(10)
  assert.equal(await second.ended, 'stopped')
})

test('a holder that cannot renew gives up before another may take over', async () => {
  const { clock, leading, transport, enter } = candidates()
  let cut = false
  const flaky: Transport = {
    ...transport,
    request: async (request) => {
      if (cut) throw new Error('unreachable')
      return transport.request(request)
    },
  }
  const first = enter('a', flaky)
  await clock.advance(10)
  enter('b')
  await clock.advance(1_000)
  cut = true
  let lostAtMs = 0
  void first.ended.then((how) => {
    assert.equal(how, 'lost')
    lostAtMs = clock.monotonic()
  })
  await clock.advance(13_000)
  assert.ok(lostAtMs > 0)
  assert.deepEqual(leading, ['a'])
  await clock.advance(10_000)
  assert.deepEqual(leading, ['a', 'b'])
})
