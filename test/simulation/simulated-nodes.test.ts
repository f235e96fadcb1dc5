/**
 * Goal: a cluster without machines runs pods as one with machines does. Method: the server's own composition of API,
 * controllers, scheduler and simulated nodes, in this process under a clock that the test moves.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { isNodeReady } from '#api/core/v1/node-facts.ts'
import { isPodReady } from '#api/core/v1/pod-facts.ts'
import { deployments, nodes, pods } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import { manualClock, type ManualClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { seededRandom } from '#lib/random.ts'
import { startControlPlane } from '#main/control-plane.ts'
import { startManagers } from '#main/managers.ts'
import { startSimulatedNodes } from '#main/simulated-nodes.ts'

const admin = { name: 'admin', groups: ['system:masters'] }

async function simulated(
  t: TestContext,
  count: number,
): Promise<{ client: Client; until: Until; names: readonly string[] }> {
  const clock = manualClock()
  const effects = { clock, random: seededRandom(1), log: silentLog }
  const dataDir = mkdtempSync(join(tmpdir(), 'coracle-simulated-'))
  const place = { bindAddress: '127.0.0.1', port: 0, advertiseAddress: '127.0.0.1' }
  const controlPlane = await startControlPlane({ dataDir, storage: 'memory', ...place }, effects)
  const managers = startManagers(controlPlane, effects)
  const { clientAs } = controlPlane
  const starting = startSimulatedNodes({ clientAs, effects, count, labels: (index) => ({ zone: `z${index % 3}` }) })
  let names: readonly string[] | undefined
  void starting.then((started) => (names = started.names))
  const until = moving(clock)
  t.after(async () => {
    const ending = starting.then((started) => started.stop()).then(() => managers.stop())
    let hasEnded = false
    void ending.then(() => (hasEnded = true))
    await until('everything ends', () => hasEnded)
    await controlPlane.close()
    rmSync(dataDir, { recursive: true })
  })
  await until('the nodes are registered', () => names !== undefined)
  return { client: clientAs(admin), until, names: names ?? [] }
}

type Until = (what: string, condition: () => boolean | Promise<boolean>) => Promise<void>

function moving(clock: ManualClock): Until {
  return async (what, condition) => {
    for (let round = 0; round < 600; round++) {
      if (await condition()) return
      await clock.advance(round < 100 ? 1 : 100)
    }
    assert.fail(`It never came about that ${what}`)
  }
}

test('simulated nodes become ready and run the pods of a Deployment, each with an address of its node', async (t) => {
  const { client, until, names } = await simulated(t, 20)
  const all = async () => (await client.resource(pods, 'default').list()).items
  await until('the nodes are ready', async () => (await client.resource(nodes).list()).items.every(isNodeReady))
  const template = {
    metadata: { labels: { app: 'a' } },
    spec: { containers: [{ name: 'c', image: 'example.test/a' }] },
  }
  const spec = { replicas: 60, selector: { matchLabels: { app: 'a' } }, template }
  await client.resource(deployments, 'default').create({ metadata: { name: 'a' }, spec } as never)
  await until('60 pods are ready', async () => (await all()).filter(isPodReady).length === 60)
  const running = await all()
  const addresses = new Set(running.map(({ status }) => status?.podIP))
  assert.equal(addresses.size, 60)
  for (const { spec: placed, status } of running) {
    const index = names.indexOf(placed.nodeName ?? '')
    assert.match(status?.podIP ?? '', new RegExp(`^10\\.128\\.${index}\\.`))
  }
  const [first] = (await client.resource(nodes).list({ labelSelector: 'zone=z1' })).items
  assert.equal(first?.metadata.labels?.['zone'], 'z1')
  await client.resource(deployments, 'default').delete('a')
  await until('the pods are gone', async () => (await all()).length === 0)
})
