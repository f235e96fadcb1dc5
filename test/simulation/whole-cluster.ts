import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { isNodeReady } from '#api/core/v1/node-facts.ts'
import { namespaces, nodes, serviceAccounts } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import { newAuthority } from '#apiserver/certificates/certificate-authority.ts'
import { manualClock, type ManualClock } from '#lib/clock.ts'
import { jsonLog } from '#lib/log.ts'
import { seededRandom } from '#lib/random.ts'
import type { Effects } from '#main/effects.ts'
import { memoryStore } from '#storage/memory/memory-store.ts'
import { admin, startApiServer, type Extension } from './api-server.ts'
import { startKubelet, type KubeletHandle, type NodeOptions } from './simulated-kubelet.ts'
import { startManagers, type ManagersHandle } from './simulated-managers.ts'

/**
 * Everything a cluster is made of, in this process and under a clock the test moves: the real API server on the memory
 * store, all controllers, the scheduler, and real kubelets whose containers are simulated.
 */
export interface WholeCluster {
  readonly client: Client
  readonly clock: ManualClock
  readonly nodes: ReadonlyMap<string, KubeletHandle>
  /** Adds a node and waits until it is ready. */
  addNode(name: string, options?: NodeOptions): Promise<void>
  /** Lets the cluster work until the condition holds, moving time by little and then by more; fails if it does not come about. */
  until(what: string, condition: () => boolean | Promise<boolean>, patience?: Patience): Promise<void>
  /** Lets `durationMs` pass, in steps in which everybody gets to work. */
  pass(durationMs: number): Promise<void>
  /** Ends controllers and scheduler at once, whatever they are in the middle of. */
  killManagers(): void
  startManagers(): Promise<void>
}

export interface Patience {
  /** How far time may move at most; default 90 s. */
  readonly withinMs?: number
}

export interface WholeClusterOptions {
  readonly seed?: number
  /** Names of the nodes it starts with; default: `n1` and `n2`. */
  readonly nodes?: readonly string[]
  /** How their containers behave. */
  readonly node?: NodeOptions
  /** How far the caches of controllers and scheduler lag behind, at most; default: not at all. */
  readonly lagMs?: number
  /** For how long the cache of one kind stands still now and then, at most; default: never. */
  readonly stallMs?: number
  /** Serves APIs behind the API server. */
  readonly extension?: Extension
}

export async function wholeCluster(t: TestContext, options: WholeClusterOptions = {}): Promise<WholeCluster> {
  const clock = manualClock()
  const random = seededRandom(options.seed ?? 1)
  const lines: string[] = []
  const write = (line: string): void => void (lines.length < 200 && lines.push(line))
  const effects: Effects = { clock, random, log: jsonLog({ clock, level: 'warn', write }) }
  const server = await startApiServer(memoryStore(), effects, options.extension)
  const client = server.clientAs(admin)
  const ca = newAuthority('test', effects)
  const kubelets = new Map<string, KubeletHandle>()
  let managers: ManagersHandle | undefined
  t.after(async () => {
    managers?.kill()
    for (const kubelet of kubelets.values()) kubelet.kill()
    await server.close()
  })
  const driving = drive(clock, lines)
  const cluster: WholeCluster = {
    client,
    clock,
    nodes: kubelets,
    ...driving,
    async addNode(name, own = options.node) {
      const podCidr = `10.244.${kubelets.size + 1}.0/24`
      kubelets.set(name, startKubelet({ clientAs: server.clientAs, effects, name, podCidr, ...own }))
      await driving.until(`the node ${name} is ready`, async () => {
        const known = await client.resource(nodes).list()
        return known.items.some((node) => node.metadata.name === name && isNodeReady(node) && !node.spec.taints?.length)
      })
    },
    killManagers() {
      managers?.kill()
      managers = undefined
    },
    async startManagers() {
      managers = startManagers({
        clientAs: server.clientAs,
        effects,
        ca,
        lagMs: options.lagMs ?? 0,
        stallMs: options.stallMs ?? 0,
      })
      await managers.started
    },
  }
  await cluster.startManagers()
  for (const name of options.nodes ?? ['n1', 'n2']) await cluster.addNode(name)
  await addNamespace(cluster, 'test')
  return cluster
}

/** A namespace in which pods can be made. */
export async function addNamespace({ client, until }: WholeCluster, name: string): Promise<void> {
  await client.resource(namespaces).create({ metadata: { name }, spec: {} })
  await until(`the namespace ${name} has its service account`, async () => {
    const { items } = await client.resource(serviceAccounts, name).list()
    return items.length > 0
  })
}

/** Time goes on in growing steps, so that what takes microseconds and what takes a minute are both waited for quickly. */
function drive(clock: ManualClock, lines: readonly string[]): Pick<WholeCluster, 'until' | 'pass'> {
  return {
    async until(what, condition, { withinMs = 90_000 } = {}) {
      const deadlineMs = clock.monotonic() + withinMs
      for (let round = 0; clock.monotonic() < deadlineMs; round++) {
        if (await condition()) return
        await clock.advance(round < 40 ? 1 : round < 100 ? 50 : 500)
      }
      assert.fail(`It never came about that ${what}\n${lines.join('\n')}`)
    },
    async pass(durationMs) {
      const stepMs = Math.max(1, Math.min(500, durationMs / 20))
      for (let passedMs = 0; passedMs < durationMs; passedMs += stepMs) await clock.advance(stepMs)
    },
  }
}
