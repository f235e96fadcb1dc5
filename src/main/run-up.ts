import { mkdir } from 'node:fs/promises'
import { flushCompileCache } from 'node:module'
import { hostname } from 'node:os'
import { writeKubeconfig } from '#apiserver/certificates/kubeconfig.ts'
import { hostLayout, type HostLayout } from '#host/layout.ts'
import { detectMachine } from '#host/machine.ts'
import { writeProcessFile } from '#host/process-file.ts'
import { fixedCertificate } from '#kubelet/server/serving-certificate.ts'
import { startControlPlane, type ControlPlane } from './control-plane.ts'
import { processEffects } from './effects.ts'
import { identities, nodeIdentity } from './identities.ts'
import { machineAddress } from './machine-address.ts'
import { startManagers } from './managers.ts'
import { prepareContainerd, startNode } from './node.ts'
import { nodeSettings } from './node-settings.ts'
import { schedulerConfiguration } from './scheduler-configuration.ts'
import { shutDownOnPowerFailure } from './shutdown-signal.ts'
import { terminationSignal } from './termination-signal.ts'
import type { UpMessage, UpSettings } from './up-message.ts'

/** Runs a whole cluster, server and node, in this process until it is told to end. */
export async function runUp(settings: UpSettings, tell: (message: UpMessage) => void): Promise<void> {
  const effects = processEffects()
  const ended = terminationSignal()
  const layout = hostLayout(settings.dataDir)
  const scheduling = await schedulerConfiguration(settings.schedulerConfigFile)
  await mkdir(layout.dataDir, { recursive: true, mode: 0o711 })
  await writeProcessFile(layout.serverPidFile, process.pid)
  const kubelet = await nodeSettings(settings.nodeFiles)
  const nodeName = settings.nodeName === '' ? hostname().toLowerCase() : settings.nodeName
  const address = await machineAddress()
  tell({ type: 'step', text: 'Starting containerd and the control plane' })
  const [controlPlane] = await allOrNothing([
    startControlPlane(
      {
        dataDir: layout.dataDir,
        storage: 'sqlite',
        bindAddress: '0.0.0.0',
        port: settings.port,
        advertiseAddress: address,
        apis: settings.apis,
        flags: settings.flags,
      },
      effects,
    ),
    prepareContainerd(layout, detectMachine(), effects),
  ])
  writeKubeconfigs(controlPlane, layout, settings)
  const managers = startManagers(controlPlane, effects, scheduling)
  tell({ type: 'step', text: `Starting node ${nodeName}` })
  const node = await startNode({
    client: controlPlane.clientAs(nodeIdentity(nodeName), 'kubelet'),
    networkClient: controlPlane.clientAs(identities.proxy, 'kube-proxy'),
    keys: {
      clientCa: controlPlane.pki.ca.certificate,
      serving: fixedCertificate(controlPlane.pki.kubeletServing(nodeName, [address])),
    },
    nodeName,
    address,
    layout,
    ...kubelet,
    effects,
  })
  shutDownOnPowerFailure(node)
  await node.ready
  tell({ type: 'ready' })
  // The next start finds every module compiled; Node itself would write them only at a clean exit.
  flushCompileCache()
  const signal = await ended
  effects.log.info('Stopping; containers go on', { signal })
  await node.stop()
  await managers.stop()
  await controlPlane.close()
}

/** Like `Promise.all`, but a failure waits for the others too: nothing may go on starting behind a command that has failed. */
async function allOrNothing<A, B>([a, b]: readonly [Promise<A>, Promise<B>]): Promise<[A, B]> {
  await Promise.allSettled([a, b])
  return [await a, await b]
}

function writeKubeconfigs(controlPlane: ControlPlane, layout: HostLayout, settings: UpSettings): void {
  const files = [layout.kubeconfig, ...(settings.kubeconfigFile === '' ? [] : [settings.kubeconfigFile])]
  for (const file of files) {
    writeKubeconfig(file, {
      server: `https://127.0.0.1:${controlPlane.port}`,
      caCertificate: controlPlane.pki.ca.certificate,
      client: controlPlane.pki.admin,
    })
  }
}
