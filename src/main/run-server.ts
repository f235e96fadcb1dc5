import { flushCompileCache } from 'node:module'
import type { ApiChoice } from '#api/schema/served-apis.ts'
import type { FrontProxyTrust } from '#apiserver/authn/front-proxy.ts'
import { writeKubeconfig } from '#apiserver/certificates/kubeconfig.ts'
import { hostLayout } from '#host/layout.ts'
import { startControlPlane, type ControlPlane } from './control-plane.ts'
import { processEffects, type Effects } from './effects.ts'
import { machineAddress } from './machine-address.ts'
import { isShared, type StorageChoice } from './open-store.ts'
import { schedulerConfiguration } from './scheduler-configuration.ts'
import type { SimulatedNodes } from './simulated-nodes.ts'
import { terminationSignal } from './termination-signal.ts'

export interface ServerSettings {
  readonly dataDir: string
  readonly bindAddress: string
  /** Empty: the bind address, or the machine's own where that is a wildcard. */
  readonly advertiseAddress: string
  readonly alternativeNames: readonly string[]
  readonly port: number
  /** Empty: only the data directory's own. */
  readonly kubeconfigFile: string
  readonly storage: StorageChoice
  readonly apis: ApiChoice
  /** What the command was started with. */
  readonly flags: Readonly<Record<string, string>>
  /** Whose headers say who asks; absent: nobody's. */
  readonly frontProxy?: FrontProxyTrust
  /** Empty: one usual profile. */
  readonly schedulerConfigFile: string
  /** How many nodes without machines to add. */
  readonly simulatedNodes: number
}

/** Runs a control plane until the process is told to end. */
export async function runServer(settings: ServerSettings): Promise<void> {
  const effects = processEffects()
  const ended = terminationSignal()
  const scheduling = await schedulerConfiguration(settings.schedulerConfigFile)
  const advertiseAddress = await advertised(settings)
  const controlPlane = await startControlPlane({ ...settings, advertiseAddress }, effects)
  const { kubeconfig } = hostLayout(settings.dataDir)
  for (const file of [kubeconfig, ...(settings.kubeconfigFile === '' ? [] : [settings.kubeconfigFile])]) {
    writeKubeconfig(file, {
      server: `https://${reachable(settings.bindAddress)}:${controlPlane.port}`,
      caCertificate: controlPlane.pki.ca.certificate,
      client: controlPlane.pki.admin,
    })
  }
  // Loaded only now: requests are answered meanwhile.
  const managers = isShared(settings.storage)
    ? (await import('./elected-managers.ts')).startElectedManagers(controlPlane, effects, scheduling)
    : (await import('./managers.ts')).startManagers(controlPlane, effects, scheduling)
  effects.log.info('The control plane is ready', { address: settings.bindAddress, port: controlPlane.port })
  const nodes = await startNodes(settings, controlPlane, effects)
  // The next start finds every module compiled; Node itself would write them only at a clean exit.
  flushCompileCache()
  await ended
  await nodes?.stop()
  await managers.stop()
  await controlPlane.close()
}

async function startNodes(
  { simulatedNodes: count }: ServerSettings,
  { clientAs }: ControlPlane,
  effects: Effects,
): Promise<SimulatedNodes | undefined> {
  if (count === 0) return undefined
  const { startSimulatedNodes } = await import('./simulated-nodes.ts')
  return startSimulatedNodes({ clientAs, effects, count })
}

async function advertised({ advertiseAddress, bindAddress }: ServerSettings): Promise<string> {
  if (advertiseAddress !== '') return advertiseAddress
  return isWildcard(bindAddress) ? await machineAddress() : bindAddress
}

/** How this machine itself reaches a server bound to the address. */
function reachable(bindAddress: string): string {
  return isWildcard(bindAddress) ? '127.0.0.1' : bindAddress
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}
