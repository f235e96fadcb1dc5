import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { defineCommand, type Terminal } from '#cli/command.ts'
import { defaultDataDir, hostLayout, type HostLayout } from '#host/layout.ts'
import { systemClock } from '#lib/clock.ts'
import { schedulerConfigFlag } from '../scheduler-configuration.ts'
import { apiArguments, apiChoiceOf, apiFlags } from './api-flags.ts'
import { flagTexts } from './flag-texts.ts'
import { nodeFileArguments, nodeFilesOf, nodeFlags } from './node-flags.ts'
import { requireRoot } from '../require-root.ts'
import type { UpMessage, UpSettings } from '../up-message.ts'

export const up = defineCommand({
  name: 'up',
  summary: 'Start a cluster on this machine, or start it again',
  description:
    'Installs what is missing (containerd, runc, CNI plugins, nftables), starts the control plane and a node in one ' +
    'background process, and returns when the node is ready. A cluster that was stopped or killed goes on where it ' +
    'was; its containers are adopted.',
  examples: [
    '# Start a cluster and look at it',
    'coracle up',
    `export KUBECONFIG=${defaultDataDir}/kubeconfig`,
    'kubectl get nodes',
  ],
  flags: [
    { name: 'data-dir', type: 'string', default: defaultDataDir, help: 'Where the cluster keeps everything' },
    {
      name: 'write-kubeconfig',
      type: 'string',
      default: '',
      help: 'Write the administrator kubeconfig here too (default: only to kubeconfig in the data directory)',
    },
    { name: 'secure-port', type: 'integer', default: 6443, help: 'Port of the API server' },
    { name: 'node-name', type: 'string', default: '', help: 'Name of the node (default: the host name)' },
    schedulerConfigFlag,
    ...apiFlags,
    ...nodeFlags,
    { name: 'foreground', type: 'boolean', default: false, help: 'Stay in the foreground and log to standard error' },
  ],
  async run({ values, terminal }) {
    const { detectMachine } = await import('#host/machine.ts')
    const { installPackages, missingPackages } = await import('#host/prerequisites.ts')
    const { readProcessFile } = await import('#host/process-file.ts')
    const machine = detectMachine()
    requireRoot(machine, 'coracle up')
    const apis = await apiChoiceOf(values)
    const layout = hostLayout(values['data-dir'])
    if (readProcessFile(layout.serverPidFile)) {
      terminal.write(`The cluster is already running.\n${nextSteps(layout, values['write-kubeconfig'])}`)
      return 0
    }
    const missing = missingPackages()
    if (missing.length > 0) {
      terminal.write(`* Installing ${missing.join(', ')}\n`)
      await installPackages(missing)
    }
    const settings = {
      dataDir: layout.dataDir,
      kubeconfigFile: values['write-kubeconfig'],
      port: values['secure-port'],
      nodeName: values['node-name'],
      schedulerConfigFile: values['scheduler-config'] === '' ? '' : resolve(values['scheduler-config']),
      apis,
      flags: flagTexts(values),
      nodeFiles: nodeFilesOf(values),
    }
    if (values.foreground) {
      await runInForeground(settings, (message) => report(message, layout, settings.kubeconfigFile, terminal))
      return 0
    }
    return await startInBackground(layout, settings, terminal)
  },
})

const readyLimitMs = 120_000

/** Starts the cluster's process, passes its progress on, and leaves it alone once the node is ready. */
async function startInBackground(layout: HostLayout, settings: UpSettings, terminal: Terminal): Promise<number> {
  const isFirstStart = !existsSync(layout.dataDir)
  mkdirSync(layout.dataDir, { recursive: true, mode: 0o711 })
  const log = openSync(layout.serverLog, 'a', 0o600)
  const child = spawn(
    process.execPath,
    [...process.execArgv, process.argv[1] ?? '', ...foregroundArguments(settings)],
    {
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    },
  )
  closeSync(log)
  const failure = await followUntilReady(child, (message) => report(message, layout, settings.kubeconfigFile, terminal))
  if (failure === undefined) return 0
  terminal.writeError(`error: ${failure}\n`)
  // A cluster that never was leaves nothing behind; one that was keeps its data and its log.
  if (isFirstStart) await removeHalfMade(layout, terminal)
  else terminal.writeError(`The log is ${layout.serverLog}\n`)
  return 1
}

async function removeHalfMade(layout: HostLayout, terminal: Terminal): Promise<void> {
  const { detectMachine } = await import('#host/machine.ts')
  const { removeCluster } = await import('#host/remove-cluster.ts')
  const lines = readFileSync(layout.serverLog, 'utf8').trim().split('\n')
  await removeCluster(layout, detectMachine(), systemClock, () => undefined)
  if (lines.length > 1) terminal.writeError(`The log ended with:\n${lines.slice(-5).join('\n')}\n`)
}

/** The same command once more, this time to stay. */
function foregroundArguments(settings: UpSettings): string[] {
  const { dataDir, kubeconfigFile, port, nodeName, schedulerConfigFile, apis, nodeFiles } = settings
  const args = ['up', '--foreground', `--data-dir=${dataDir}`, `--secure-port=${port}`]
  args.push(`--write-kubeconfig=${kubeconfigFile}`, `--node-name=${nodeName}`, ...nodeFileArguments(nodeFiles))
  return [...args, ...apiArguments(apis), `--scheduler-config=${schedulerConfigFile}`]
}

/** Runs the cluster in this process; its progress goes to the command that started it, or else to the terminal. */
async function runInForeground(settings: UpSettings, show: (message: UpMessage) => void): Promise<void> {
  const { runUp } = await import('../run-up.ts')
  const hasStarter = process.connected
  try {
    await runUp(settings, (message) => (hasStarter ? void tellStarter(message) : show(message)))
  } catch (error) {
    if (hasStarter) await tellStarter({ type: 'failed', reason: (error as Error).message })
    throw error
  }
}

/** Resolves when the message is on its way; the starter may be gone by then. */
function tellStarter(message: UpMessage): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (process.connected) process.send?.(message, undefined, undefined, () => resolve())
  else resolve()
  return promise
}

/** Resolves to undefined when the child says it is ready, or to what went wrong. */
function followUntilReady(child: ChildProcess, hear: (message: UpMessage) => void): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  child.on('message', (message: UpMessage) => {
    hear(message)
    if (message.type === 'ready') resolve(undefined)
    if (message.type === 'failed') resolve(message.reason)
  })
  const timer = systemClock.schedule(readyLimitMs, () =>
    resolve(`The node is not ready after ${readyLimitMs / 1000} s`),
  )
  child.once('error', (error) => resolve(error.message))
  child.once('exit', (code, signal) => resolve(`The cluster process ended with ${code ?? signal}`))
  return promise.finally(() => {
    timer.cancel()
    if (child.connected) child.disconnect()
    child.unref()
  })
}

function report(message: UpMessage, layout: HostLayout, kubeconfigFile: string, terminal: Terminal): void {
  if (message.type === 'step') terminal.write(`* ${message.text}\n`)
  if (message.type === 'ready') terminal.write(nextSteps(layout, kubeconfigFile))
}

function nextSteps(layout: HostLayout, kubeconfigFile: string): string {
  return `
The cluster is ready. Its kubeconfig is ${kubeconfigFile === '' ? layout.kubeconfig : kubeconfigFile}

Try:
  export KUBECONFIG=${kubeconfigFile === '' ? layout.kubeconfig : kubeconfigFile}
  kubectl get nodes
  kubectl get pods --all-namespaces
`
}
