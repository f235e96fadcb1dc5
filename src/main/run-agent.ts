import { mkdir } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { JoinToken } from '#api/core/v1/join-token.ts'
import { remoteInformerSettings } from '#client/informers.ts'
import { hostLayout } from '#host/layout.ts'
import { detectMachine } from '#host/machine.ts'
import { writeProcessFile } from '#host/process-file.ts'
import { processEffects } from './effects.ts'
import { machineAddress } from './machine-address.ts'
import { joinAsNode } from './node-membership.ts'
import { prepareContainerd, startNode } from './node.ts'
import { nodeSettings, type NodeFiles } from './node-settings.ts'
import { shutDownOnPowerFailure } from './shutdown-signal.ts'
import { terminationSignal } from './termination-signal.ts'

export interface AgentSettings {
  readonly dataDir: string
  /** `https://host:port` */
  readonly server: string
  readonly token: JoinToken | undefined
  readonly nodeName: string
  /** Empty: the machine's address on the way to the server. */
  readonly address: string
  readonly nodeFiles: NodeFiles
}

/** Runs a node of a cluster whose server is elsewhere, until the process is told to end. */
export async function runAgent(settings: AgentSettings): Promise<void> {
  const effects = processEffects()
  const { log } = effects
  const ended = terminationSignal()
  const layout = hostLayout(settings.dataDir)
  const { nodeName, server } = settings
  const kubelet = await nodeSettings(settings.nodeFiles)
  const address = settings.address === '' ? await addressTowards(server) : settings.address
  await mkdir(layout.dataDir, { recursive: true, mode: 0o711 })
  const membership = await joinAsNode({
    ...settings,
    address,
    dataDir: layout.dataDir,
    effects,
    keepsClient: kubelet.settings?.configuration.rotateCertificates === false,
  })
  log.info('This machine is a member of the cluster', { server, node: nodeName, address })
  await writeProcessFile(layout.serverPidFile, process.pid)
  await prepareContainerd(layout, detectMachine(), effects)
  membership.start()
  const { client, authority, serving } = membership
  const keys = { clientCa: authority, serving }
  const node = await startNode({
    client,
    networkClient: client,
    server,
    informerSettings: remoteInformerSettings,
    keys,
    nodeName,
    address,
    layout,
    ...kubelet,
    effects,
  })
  shutDownOnPowerFailure(node)
  void node.ready.then(() => log.info('The node is ready', { node: nodeName }))
  const signal = await ended
  log.info('Stopping; containers go on', { signal })
  await node.stop()
  await membership.stop()
}

function addressTowards(server: string): Promise<string> {
  const host = new URL(server).hostname.replace(/^\[|\]$/g, '')
  return isIP(host) === 4 ? machineAddress(host) : machineAddress()
}
