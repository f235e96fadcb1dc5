import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builtInCatalog } from '#api/schema/catalog.ts'
import type { UserInfo } from '#api/meta/exchange.ts'
import type { FlowSchema, PriorityLevelConfiguration } from '#api/types/flowcontrol.v1.ts'
import type { Clock } from '#lib/clock.ts'
import { policyObjects } from '../bootstrap/policy.ts'
import type { AdmissionPlugin } from '../admission/admission.ts'
import { parseRequestInfo } from '../request-info.ts'
import { configMap, testServer, type TestAnswer } from '../server.case.ts'
import { FairQueues } from './fair-queues.ts'
import { flowMatcher } from './flow-matcher.ts'
import { divideSeats } from './level-limits.ts'
import { dealHand } from './shuffle-shard.ts'

const bootstrapped = policyObjects(builtInCatalog()).map(({ object }) => object)
const schemas = bootstrapped.filter(({ kind }) => kind === 'FlowSchema') as FlowSchema[]
const levels = bootstrapped.filter(
  ({ kind }) => kind === 'PriorityLevelConfiguration',
) as unknown as PriorityLevelConfiguration[]

const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups: [...groups, 'system:authenticated'] })
const node = user('system:node:n1', 'system:nodes')
const account = (namespace: string): UserInfo =>
  user(`system:serviceaccount:${namespace}:a`, 'system:serviceaccounts', `system:serviceaccounts:${namespace}`)

test('requests find their flow schema by who asks for what, in the order of precedence', () => {
  const match = flowMatcher(schemas)
  const table: readonly [UserInfo, string, string, string | undefined][] = [
    [user('admin', 'system:masters'), 'GET /api/v1/pods', 'exempt', ''],
    [user('eve'), 'GET /healthz', 'probes', ''],
    [user('eve'), 'GET /version', 'global-default', 'eve'],
    [user('eve'), 'GET /api/v1/namespaces/a/pods', 'global-default', 'eve'],
    [node, 'PATCH /api/v1/nodes/n1/status', 'system-node-high', 'system:node:n1'],
    [node, 'PUT /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1', 'system-node-high', node.name],
    [node, 'GET /api/v1/nodes/n1/proxy', 'system-nodes', node.name],
    [user('system:kube-scheduler'), 'POST /api/v1/namespaces/a/pods/p/binding', 'kube-scheduler', 'a'],
    [account('kube-system'), 'GET /api/v1/pods', 'kube-system-service-accounts', ''],
    [account('shop'), 'GET /api/v1/pods', 'service-accounts', 'system:serviceaccount:shop:a'],
  ]
  for (const [who, line, name, distinguisher] of table) {
    const [method = '', path = ''] = line.split(' ')
    const flow = match(parseRequestInfo({ method, path, query: new URLSearchParams() }), who)
    assert.deepEqual([flow?.schema.metadata.name, flow?.distinguisher], [name, distinguisher], `${who.name} ${line}`)
  }
  assert.equal(match(parseRequestInfo({ method: 'GET', path: '/', query: new URLSearchParams() }), noGroups), undefined)
})

const noGroups: UserInfo = { name: 'nobody', groups: [] }

test('seats are divided by shares', () => {
  const limits = divideSeats(levels, 600)
  const nominal = Object.fromEntries(levels.map(({ metadata }, index) => [metadata.name, limits[index]?.nominal]))
  assert.deepEqual(nominal, {
    'catch-all': 13,
    exempt: 0,
    'global-default': 49,
    'leader-election': 25,
    'node-high': 98,
    system: 74,
    'workload-high': 98,
    'workload-low': 245,
  })
  assert.equal(limits[levels.findIndex(({ metadata }) => metadata.name === 'workload-low')]?.lendable, 221)
})

test('hands are different cards, spread over the deck, the same for the same flow', () => {
  const dealt = new Set<string>()
  for (let flow = 0; flow < 500; flow++) {
    const hand = dealHand(`flow-${flow}`, 64, 6)
    assert.equal(new Set(hand).size, 6)
    assert.ok(hand.every((card) => card >= 0 && card < 64))
    assert.deepEqual(dealHand(`flow-${flow}`, 64, 6), hand)
    dealt.add(hand.toSorted((a, b) => a - b).join())
  }
  assert.ok(dealt.size > 490)
})

test('queues take turns, and wide requests count for more', () => {
  const queues = new FairQueues<{ flow: string; width: number; name: string }>({
    queues: 64,
    handSize: 1,
    queueLengthLimit: 5,
  })
  const push = (flow: string, name: string, width = 1): boolean => queues.push({ flow, name, width })
  for (let count = 1; count <= 5; count++) assert.equal(push('flood', `flood${count}`), true)
  assert.equal(push('flood', 'flood6'), false)
  push('broad', 'wide1', 3)
  push('broad', 'wide2', 3)
  push('calm', 'calm1')
  const order: (string | undefined)[] = []
  for (let item = queues.shift(); item !== undefined; item = queues.shift()) order.push(item.name)
  assert.deepEqual(order, ['flood1', 'wide1', 'calm1', 'flood2', 'flood3', 'flood4', 'wide2', 'flood5'])
})

/** A server on which every write takes 100 ms, and which does some 60 things at a time. */
async function slowServer() {
  const clock: Pick<Clock, 'sleep'> = { sleep: () => Promise.resolve() }
  const slow: AdmissionPlugin = {
    name: 'slow',
    resources: ['configmaps'],
    operations: ['CREATE'],
    validate: () => clock.sleep(100),
  }
  const server = await testServer({ admission: [slow], flowControl: { seats: 60 } })
  await server.server.bootstrap.ensure([...policyObjects(builtInCatalog())])
  clock.sleep = (ms) => server.clock.sleep(ms)
  return server
}

const maps = '/api/v1/namespaces/default/configmaps'

test('a flood of one user leaves others their turn, and the system its own seats', async () => {
  const { call, clock, close } = await slowServer()
  const done: string[] = []
  const send = async (who: UserInfo, name: string): Promise<TestAnswer> => {
    const answer = await call(`POST ${maps}`, { user: who, body: configMap(name) })
    done.push(`${who.name} ${answer.code}`)
    return answer
  }
  const flood = Array.from({ length: 1_000 }, (_, index) => send(user('mallory'), `m${index}`))
  await clock.advance(0)
  const refused = await Promise.race(flood.slice(-1))
  assert.equal(refused.code, 429)
  assert.deepEqual(
    [refused.text, refused.headers['retry-after']],
    ['Too many requests, please try again later.\n', '1'],
  )
  assert.deepEqual([...new Set(done)], ['mallory 429'])
  const refusals = done.length
  assert.ok(refusals >= 600 && refusals < 700, `${refusals} refused: six queues of fifty wait`)
  const page = async (name: string): Promise<string> =>
    (await call(`GET /debug/api_priority_and_fairness/dump_${name}`, { query: 'includeRequestDetails=1' })).text
  assert.match(
    await page('priority_levels'),
    /^PriorityLevelName, +ActiveQueues, .*\n[^]*\nglobal-default, +6, +false, +false, +300, /,
  )
  assert.equal((await page('queues')).match(/^global-default, +\d+, +50, +50, +50 +$/gm)?.length, 6)
  assert.match(
    await page('requests'),
    /\nglobal-default, +global-default, +\d+, +0, +mallory, +\S+, +1, +0, +0s, +mallory, +create, /,
  )
  const others = [send(node, 'kubelet'), send(user('system:kube-scheduler'), 'scheduler'), send(user('alice'), 'alice')]
  await clock.advance(100)
  assert.ok(done.includes('system:node:n1 201'), 'the kubelet is served at once')
  assert.ok(done.includes('system:kube-scheduler 201'), 'and so is the scheduler')
  await clock.advance(100)
  assert.ok(done.includes('alice 201'), 'another user gets the next turn')
  const floodDone = done.filter((line) => line === 'mallory 201').length
  assert.ok(floodDone < 150, `${floodDone} of the flood are done by then`)
  await clock.advance(20_000)
  await Promise.all([...flood, ...others])
  assert.equal(done.filter((line) => line === 'mallory 201').length, 1_000 - refusals)
  await close()
})

test('who waits too long is let go', async () => {
  const { call, clock, close } = await slowServer()
  const levelPath = '/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations/global-default'
  const patch = { spec: { limited: { nominalConcurrencyShares: 0, borrowingLimitPercent: 0 } } }
  const headers = { 'content-type': 'application/merge-patch+json' }
  assert.equal(
    (await Promise.all([call(`PATCH ${levelPath}`, { body: patch, headers }), clock.advance(200)]))[0].code,
    200,
  )
  const first = call(`POST ${maps}`, { user: user('eve'), body: configMap('first') })
  const waiting = Array.from({ length: 200 }, (_, index) =>
    call(`POST ${maps}`, { user: user('eve'), body: configMap(`w${index}`) }),
  )
  await clock.advance(15_100)
  assert.equal((await first).code, 201)
  const codes = (await Promise.all(waiting)).map(({ code }) => code)
  assert.equal(
    codes.filter((code) => code === 429).length,
    51,
    'one at a time, ten a second, until fifteen seconds are over',
  )
  await close()
})

test('answers name their schema and level; a deleted level is the catch-all', async () => {
  const { call, close } = await testServer()
  const answer = await call('GET /api/v1/pods')
  assert.equal(answer.headers['x-kubernetes-pf-flowschema-uid'], '')
  const schema = {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'FlowSchema',
    metadata: { name: 'mine' },
    spec: {
      matchingPrecedence: 7,
      priorityLevelConfiguration: { name: 'gone' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'eve' } }],
          nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/version', '/x/*'] }],
        },
      ],
    },
  }
  const created = await call('POST /apis/flowcontrol.apiserver.k8s.io/v1/flowschemas', { body: schema })
  assert.equal(created.code, 201)
  const other = await call('GET /version', { user: user('eve') })
  assert.deepEqual([other.code, other.headers['x-kubernetes-pf-flowschema-uid']], [200, created.object.metadata.uid])
  await close()
})
