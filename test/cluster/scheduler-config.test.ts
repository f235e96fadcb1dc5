import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Event, Pod } from '#api/types/core.v1.ts'
import { coracle, startServer } from './harness/cluster.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp('/var/tmp/coracle-test-')
})
after(() => rm(folder, { recursive: true, force: true }))

const header = { apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration' }

async function configuration(name: string, content: object | string): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify({ ...header, ...content }))
  return file
}

async function bodyOf(request: IncomingMessage): Promise<{ readonly NodeNames: readonly string[] }> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return JSON.parse(text) as { readonly NodeNames: readonly string[] }
}

/** A scheduler extender over HTTP that keeps all pods to one node. */
async function startExtender(node: string) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    void bodyOf(request).then(({ NodeNames }) => {
      asked.push(request.url ?? '')
      const refused = NodeNames.filter((name) => name !== node).map((name) => [name, 'not licensed'])
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ NodeNames: [node], FailedNodes: Object.fromEntries(refused) as object }))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/extend`
  return { url, asked, [Symbol.dispose]: () => void server.close() }
}

test('a configuration file gives the server profiles and an extender', async () => {
  using extender = await startExtender('simulated-3')
  const file = await configuration('extended.yaml', {
    podInitialBackoffSeconds: 1,
    profiles: [
      { schedulerName: 'default-scheduler' },
      {
        schedulerName: 'picky',
        pluginConfig: [{ name: 'NodeAffinity', args: { addedAffinity: wanting('simulated-1') } }],
      },
    ],
    extenders: [{ urlPrefix: extender.url, filterVerb: 'filter', nodeCacheCapable: true }],
  })
  await using server = await startServer({ flags: ['--simulated-nodes', '3', '--scheduler-config', file] })
  const { kubectl } = server
  await kubectl.apply(podOf('usual'))
  const placed = await kubectl.waitFor<Pod>(['pod', 'usual'], ({ spec }) => spec.nodeName !== undefined)
  assert.equal(placed.spec.nodeName, 'simulated-3')
  assert.ok(extender.asked.every((path) => path === '/extend/filter') && extender.asked.length > 0)
  await kubectl.apply(podOf('refused', { schedulerName: 'picky' }))
  const isTold = ({ involvedObject, reason }: Event) =>
    involvedObject.name === 'refused' && reason === 'FailedScheduling'
  const { message } = await kubectl.waitFor<Event>(['events'], isTold)
  assert.match(message ?? '', /1 not licensed, 2 node\(s\) didn't match scheduler-enforced node affinity/)
})

function wanting(node: string) {
  const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }
  return { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } }
}

function podOf(name: string, spec: object = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
  }
}

const refusals: readonly (readonly [what: string, content: object | string, message: RegExp])[] = [
  ['nothing', '', /Object 'Kind' is missing/],
  ['an unknown field', { frobnicate: 1 }, /strict decoding error: unknown field "frobnicate"/],
  ['no YAML', 'a: [', /yaml/],
  ['a bad value', { parallelism: -1 }, /parallelism: Invalid value: -1: should be an integer value greater than zero/],
]

for (const [what, content, message] of refusals) {
  test(`a configuration file with ${what} is refused before anything starts`, async () => {
    const file = await configuration('bad.yaml', content)
    const { code, stderr } = await coracle('server', '--data-dir', join(folder, 'data'), '--scheduler-config', file)
    assert.equal(code, 1)
    assert.match(stderr, new RegExp(`^error: Cannot use the scheduler configuration ${file}: `, 'm'))
    assert.match(stderr, message)
  })
}

test('a configuration file that is not there is refused', async () => {
  const { code, stderr } = await coracle('server', '--scheduler-config', join(folder, 'nowhere'))
  assert.equal(code, 1)
  assert.match(stderr, /nowhere: no such file$/m)
})
