import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import { namespaces, pods } from '#api/types/resources.ts'
import { newAuthority } from '#apiserver/certificates/certificate-authority.ts'
import type { Client } from '#client/client.ts'
import { createEventRecorder } from '#client/event-recorder.ts'
import type { Informers } from '#client/informer.ts'
import { createInformers } from '#client/informers.ts'
import { createSigner } from '#controllers/certificates/signer.ts'
import { createControllers, type ControllersOptions } from '#controllers/controllers.ts'
import { formatTime, manualClock, type ManualClock } from '#lib/clock.ts'
import { jsonLog } from '#lib/log.ts'
import { seededRandom } from '#lib/random.ts'
import { identities } from '#main/identities.ts'
import { controllerServiceAccount, runControllers, type RunningControllers } from '#reconcile/run-controllers.ts'
import { memoryStore } from '#storage/memory/memory-store.ts'
import { admin, rootCa, startApiServer } from './api-server.ts'

/** The real API server on the memory store and all controllers, in this process, under a clock the test moves. */
export interface SmallCluster {
  readonly client: Client
  readonly informers: Informers
  readonly clock: ManualClock
  readonly controllers: RunningControllers
  /** The CA that issues certificates here. */
  readonly ca: X509Certificate
  /** Lets the cluster work until the condition holds, moving time by little; fails if it does not come about. */
  until(what: string, condition: () => boolean | Promise<boolean>): Promise<void>
  /** Lets the cluster work until nobody has anything to do at this time. */
  settle(): Promise<void>
  /** Reports a pod as a kubelet would: running on the node, ready, with an address. */
  run(pod: Pod, node?: string): Promise<void>
}

export async function smallCluster(
  t: TestContext,
  own: Pick<ControllersOptions, 'cloud' | 'signToken'> = {},
): Promise<SmallCluster> {
  const clock = manualClock()
  const random = seededRandom(1)
  const lines: string[] = []
  const effects = { clock, random, log: jsonLog({ clock, level: 'warn', write: (line) => lines.push(line) }) }
  const { clientAs, close } = await startApiServer(memoryStore(), effects)
  const client = clientAs(admin)
  const manager = clientAs(identities.controllerManager)
  const informers = createInformers({ client: manager, ...effects })
  const stopping = new AbortController()
  const events = createEventRecorder({ client: manager, ...effects, component: 'test' })
  const ca = newAuthority('test', effects)
  const controllers = runControllers(
    createControllers({
      ...own,
      rootCa,
      sign: createSigner(ca, effects),
      nodeIpam: { clusterCidrs: ['10.244.0.0/16'] },
      dns: { clusterIP: '10.96.0.10', nodePort: 10_053 },
    }),
    { client: manager, informers, events, ...effects, signal: stopping.signal },
    { actAs: controllerServiceAccount },
  )
  t.after(async () => {
    stopping.abort()
    await controllers.stop()
    await events.stop()
    await informers.stop()
    await close()
  })
  await controllers.started
  await client.resource(namespaces).create({ metadata: { name: 'test' }, spec: {} })
  const authority = new X509Certificate(ca.certificate)
  return { client, informers, clock, controllers, ca: authority, ...driving(clock, controllers, client, lines) }
}

function driving(clock: ManualClock, controllers: RunningControllers, client: Client, lines: readonly string[]) {
  let lastOctet = 0
  return {
    async until(what: string, condition: () => boolean | Promise<boolean>) {
      for (let round = 0; round < 300; round++) {
        if (await condition()) return
        await clock.advance(round < 100 ? 1 : 100)
      }
      assert.fail(`It never came about that ${what}\n${lines.join('\n')}`)
    },
    async settle() {
      for (let quiet = 0; quiet < 3; quiet = controllers.isIdle() ? quiet + 1 : 0) await clock.advance(1)
    },
    async run(pod: Pod, node = 'n1') {
      const { name, namespace } = pod.metadata
      const collection = client.resource(pods, namespace)
      if (pod.spec.nodeName === undefined) {
        await collection.createSubresource(name, 'binding', {
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { name },
          target: { kind: 'Node', name: node },
        })
      }
      const now = formatTime(clock.now())
      const podIP = `10.244.0.${++lastOctet}`
      const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: now }]
      const status = { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions }
      await collection.patch(name, { type: 'merge', patch: { status } }, { subresource: 'status' })
    },
  }
}
