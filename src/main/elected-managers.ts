import { hostname } from 'node:os'
import { runAsLeader } from '#client/leader-election.ts'
import type { SchedulerConfiguration } from '#scheduler/config/load-configuration.ts'
import type { ControlPlane } from './control-plane.ts'
import type { Effects } from './effects.ts'
import { identities } from './identities.ts'
import { managersLease } from './managers-lease.ts'
import { startManagers, type Managers } from './managers.ts'

const pauseAfterFailureMs = 2_000

/**
 * Runs controllers and scheduler while this process holds the lease, one process of all at a time. A leader that falls
 * silent is replaced after 15 s, one that is stopped at once.
 */
export function startElectedManagers(
  controlPlane: ControlPlane,
  effects: Effects,
  scheduling: SchedulerConfiguration | undefined,
): Managers {
  const stopping = new AbortController()
  const running = stand(() => startManagers(controlPlane, effects, scheduling), controlPlane, effects, stopping.signal)
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}

async function stand(
  start: () => Managers,
  controlPlane: ControlPlane,
  effects: Effects,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random } = effects
  const log = effects.log.with({ component: 'leader-election' })
  const identity = `${hostname()}_${random.uuid()}`
  const client = controlPlane.clientAs(identities.controllerManager)
  while (!signal.aborted) {
    try {
      const how = await runAsLeader({ client, clock, random, log, lease: managersLease, identity, signal }, (ending) =>
        lead(start, ending),
      )
      if (how === 'lost') log.warn('This process leads no more: it could not renew its lease', { identity })
    } catch (error) {
      log.error('Leading failed', { error })
      await clock.sleep(pauseAfterFailureMs, signal).catch(() => undefined)
    }
  }
}

async function lead(start: () => Managers, ending: AbortSignal): Promise<void> {
  const managers = start()
  const { promise, resolve } = Promise.withResolvers<void>()
  ending.addEventListener('abort', () => resolve(), { once: true })
  if (!ending.aborted) await promise
  await managers.stop()
}
