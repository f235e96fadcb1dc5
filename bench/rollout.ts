/**
 * How fast a Deployment of 1,000 replicas comes up and is rolled out to another template, over simulated nodes: API server,
 * controllers, scheduler and kubelets in one process, on the memory store. Prints one JSON line for each figure.
 * `node bench/rollout.ts [replicas] [nodes]`
 */
import { parseArgs } from 'node:util'
import { deployments, namespaces, nodes, serviceAccounts } from '#api/types/resources.ts'
import { isNodeReady } from '#api/core/v1/node-facts.ts'
import type { Deployment } from '#api/types/apps.v1.ts'
import { newAuthority } from '#apiserver/certificates/certificate-authority.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { systemRandom } from '#lib/random.ts'
import { memoryStore } from '#storage/memory/memory-store.ts'
import { admin, startApiServer } from '../test/simulation/api-server.ts'
import { startKubelet } from '../test/simulation/simulated-kubelet.ts'
import { startManagers } from '../test/simulation/simulated-managers.ts'
import { cpuSeconds, report, residentBytes } from './measure.ts'

const { positionals } = parseArgs({ allowPositionals: true })
const replicas = Number(positionals[0] ?? 1_000)
const nodeCount = Number(positionals[1] ?? 20)
const effects = { clock: systemClock, random: systemRandom, log: silentLog }
const server = await startApiServer(memoryStore(), effects)
const client = server.clientAs(admin)
const managers = startManagers({ clientAs: server.clientAs, effects, ca: newAuthority('bench', effects) })
await managers.started
const kubelets = Array.from({ length: nodeCount }, (_, at) =>
  startKubelet({ clientAs: server.clientAs, effects, name: `n${at}`, podCidr: `10.244.${at + 1}.0/24` }),
)
await client.resource(namespaces).create({ metadata: { name: 'bench' }, spec: {} })
await until(async () => {
  const all = await client.resource(nodes).list()
  const accounts = await client.resource(serviceAccounts, 'bench').list()
  const ready = all.items.filter((node) => isNodeReady(node) && !node.spec.taints?.length)
  return ready.length === nodeCount && accounts.items.length > 0
})

const labels = { app: 'web' }
const template = (image: string) => ({
  metadata: { labels },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image }] },
})
const collection = client.resource(deployments, 'bench')

await measure('1,000 replicas come up', async () => {
  const spec = { replicas, selector: { matchLabels: labels }, template: template('app:1') }
  await collection.create({ metadata: { name: 'web' }, spec } as never)
})
await measure('they are rolled out', async () => {
  await collection.patch('web', { type: 'merge', patch: { spec: { template: template('app:2') } } })
})

managers.kill()
for (const kubelet of kubelets) kubelet.kill()
await server.close()
process.exit(0)

async function measure(what: string, act: () => Promise<void>): Promise<void> {
  const startedMs = performance.now()
  const startedCpu = cpuSeconds(process.pid)
  await act()
  const { resourceVersion } = await collection.list()
  const known = await collection.get('web')
  if (!isRolledOut(known)) {
    for await (const event of collection.watch({ resourceVersion })) {
      if (event.type === 'MODIFIED' && isRolledOut(event.object)) break
    }
  }
  const seconds = (performance.now() - startedMs) / 1_000
  const cpu = cpuSeconds(process.pid) - startedCpu
  report(what, {
    replicas,
    nodes: nodeCount,
    seconds,
    cpuSeconds: cpu,
    goalSeconds: 5,
    residentMB: residentBytes(process.pid) / 2 ** 20,
  })
}

function isRolledOut({ metadata, status }: Deployment): boolean {
  return (
    status?.observedGeneration === metadata.generation &&
    status?.updatedReplicas === replicas &&
    status?.replicas === replicas &&
    status?.availableReplicas === replicas
  )
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve))
}
