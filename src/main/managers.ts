import { signJwt, tokenKey } from '#apiserver/tokens/jwt.ts'
import { createEventRecorder } from '#client/event-recorder.ts'
import { createInformers } from '#client/informers.ts'
import { createSigner } from '#controllers/certificates/signer.ts'
import { createControllers } from '#controllers/controllers.ts'
import { controllerServiceAccount, runControllers } from '#reconcile/run-controllers.ts'
import type { SchedulerConfiguration } from '#scheduler/config/load-configuration.ts'
import { startScheduler } from '#scheduler/scheduler.ts'
import type { ControlPlane } from './control-plane.ts'
import type { Effects } from './effects.ts'
import { identities } from './identities.ts'
import { ranges } from './ranges.ts'

/** The control loops of a cluster: controllers and scheduler. */
export interface Managers {
  stop(): Promise<void>
}

/** Starts controllers and scheduler in the API server's process, over one set of informers. Default: one usual profile. */
export function startManagers(
  controlPlane: ControlPlane,
  effects: Effects,
  scheduling?: SchedulerConfiguration,
): Managers {
  const { clock, random, log } = effects
  const client = controlPlane.clientAs(identities.controllerManager, 'kube-controller-manager')
  const informers = createInformers({ client, clock, random, log: log.with({ component: 'informers' }) })
  const stopping = new AbortController()
  const events = createEventRecorder({ client, clock, log, component: 'kube-controller-manager' })
  const key = tokenKey(controlPlane.pki.serviceAccountKey.privateKey)
  const context = { client, informers, events, clock, random, log: log.with({ component: 'controllers' }) }
  const controllers = runControllers(
    createControllers({
      rootCa: controlPlane.pki.ca.certificate,
      catalog: controlPlane.catalog,
      nodeIpam: { clusterCidrs: [ranges.clusterCidr] },
      signToken: (claims) => signJwt(claims, key),
      sign: createSigner(controlPlane.pki.ca, { clock, random }),
      dns: { clusterIP: ranges.dnsService, nodePort: ranges.dnsPort },
    }),
    { ...context, signal: stopping.signal },
    { actAs: controllerServiceAccount },
  )
  const schedulerClient = controlPlane.clientAs(identities.scheduler, 'kube-scheduler')
  const schedulerEvents = createEventRecorder({ client: schedulerClient, clock, log, component: 'default-scheduler' })
  const scheduler = startScheduler({
    client: schedulerClient,
    informers,
    events: schedulerEvents,
    clock,
    random,
    log: log.with({ component: 'scheduler' }),
    ...scheduling,
  })
  controlPlane.debugPaths.explainPods((key) => scheduler.explain(key))
  controlPlane.debugPaths.tellMetrics(() => controllers.metricFamilies())
  return {
    async stop() {
      stopping.abort()
      controlPlane.debugPaths.explainPods(undefined)
      controlPlane.debugPaths.tellMetrics(() => [])
      await Promise.all([scheduler.stop(), controllers.stop()])
      await events.stop()
      await schedulerEvents.stop()
      await informers.stop()
    },
  }
}
