import type { UserInfo } from '#api/meta/exchange.ts'
import type { Client } from '#client/client.ts'
import { createEventRecorder } from '#client/event-recorder.ts'
import { createInformers } from '#client/informers.ts'
import { createSigner } from '#controllers/certificates/signer.ts'
import { createControllers } from '#controllers/controllers.ts'
import type { KeyPair } from '#lib/x509/certificate.ts'
import type { Effects } from '#main/effects.ts'
import { identities } from '#main/identities.ts'
import { controllerServiceAccount, runControllers, type RunningControllers } from '#reconcile/run-controllers.ts'
import { startScheduler } from '#scheduler/scheduler.ts'
import { rootCa } from './api-server.ts'
import { mortalClient, type Lag } from './mortal-client.ts'

export interface ManagersOptions {
  readonly clientAs: (user: UserInfo) => Client
  readonly effects: Effects
  readonly ca: KeyPair
  /** How long events of watches are on their way, at most; default: not at all. */
  readonly lagMs?: number
  /** For how long the events of one kind, now and then, all stand still, at most, while others arrive; default: never. */
  readonly stallMs?: number
}

/** Kinds whose watches may stand still: those that controllers of workloads go by. */
const stallingKinds = new Set(['pods', 'replicasets', 'deployments', 'statefulsets', 'jobs', 'nodes'])
/** The chance of each event to be the one that waits. */
const stallChance = 0.01

/** Controllers and scheduler as one process that can be killed. */
export interface ManagersHandle {
  readonly started: Promise<void>
  readonly controllers: RunningControllers
  /** They stop in the middle of what they do: writes under way are made, nothing after them is. */
  kill(): void
}

export function startManagers({ clientAs, effects, ca, lagMs = 0, stallMs = 0 }: ManagersOptions): ManagersHandle {
  const { clock, random } = effects
  const lag: Lag = (plural) => {
    const isStall = stallMs > 0 && stallingKinds.has(plural) && random.next() < stallChance
    return clock.sleep(random.next() * (isStall ? stallMs : lagMs))
  }
  const isLate = lagMs + stallMs > 0
  const manager = mortalClient(clientAs(identities.controllerManager), isLate ? lag : undefined)
  const placing = mortalClient(clientAs(identities.scheduler))
  const informers = createInformers({ client: manager.client, ...effects })
  const events = createEventRecorder({ client: manager.client, ...effects, component: 'test' })
  const schedulerEvents = createEventRecorder({ client: placing.client, ...effects, component: 'default-scheduler' })
  const stopping = new AbortController()
  const controllers = runControllers(
    createControllers({
      rootCa,
      sign: createSigner(ca, effects),
      dns: { clusterIP: '10.96.0.10', nodePort: 10_053 },
    }),
    { client: manager.client, informers, events, ...effects, signal: stopping.signal },
    { actAs: controllerServiceAccount },
  )
  const scheduler = startScheduler({ client: placing.client, informers, events: schedulerEvents, ...effects })
  return {
    started: controllers.started,
    controllers,
    kill() {
      manager.kill()
      placing.kill()
      stopping.abort()
      for (const ending of [scheduler.stop(), events.stop(), schedulerEvents.stop(), informers.stop()]) {
        void ending.catch(() => undefined)
      }
    },
  }
}
