import { formatMicroTime, systemClock } from '#lib/clock.ts'
import type { Kubectl } from './kubectl.ts'

const beatMs = 10_000

/**
 * Renews the leases of nodes that exist only as objects, as their kubelets would, until it is disposed of: a test that
 * takes its time must not see them go silent.
 */
export async function beatingNodes(kubectl: Kubectl, ...names: readonly string[]): Promise<AsyncDisposable> {
  const namespace = 'kube-node-lease'
  const beat = async (): Promise<void> => {
    const renewTime = formatMicroTime(systemClock.now())
    const items = names.map((name) => ({
      ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace } },
      spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime },
    }))
    await kubectl.apply({ apiVersion: 'v1', kind: 'List', items })
  }
  let isOver = false
  let running: Promise<void> = Promise.resolve()
  const plan = () =>
    systemClock.schedule(beatMs, () => {
      running = beat()
        .catch(() => undefined)
        .then(() => {
          if (!isOver) timer = plan()
        })
    })
  await beat()
  let timer = plan()
  return {
    async [Symbol.asyncDispose]() {
      isOver = true
      timer.cancel()
      await running
    },
  }
}
