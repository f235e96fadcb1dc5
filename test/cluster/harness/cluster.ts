import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { hostLayout } from '#host/layout.ts'
import type { HostLayout } from '#host/layout.ts'
import { testImageArchive } from '../../images/build.ts'
import { eventually } from './eventually.ts'
import { bindKubectl } from './kubectl.ts'
import type { Kubectl } from './kubectl.ts'
import { checkout, outputOf, runProgram } from './run-program.ts'
import type { ProgramResult } from './run-program.ts'

const upTimeoutMs = 180_000

/** A whole cluster with a node on this machine, made by `./coracle up` in folders of its own. */
export interface Cluster extends AsyncDisposable {
  readonly layout: HostLayout
  readonly port: number
  readonly kubectl: Kubectl
  /** What `up` printed. */
  readonly printed: string
  /** Imports the test images into the cluster's containerd. */
  loadImages(): Promise<void>
  /** Ends the cluster's process with a signal and waits until it is gone; containers go on. */
  signal(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
  /** `./coracle up` again, on the same data. */
  up(): Promise<string>
  /** `./coracle down`: removes everything. */
  down(): Promise<string>
}

export interface ClusterOptions {
  /** More words for the command line of `up`, or those that come of the data directory. */
  readonly flags?: readonly string[] | ((folder: string) => Promise<readonly string[]>)
}

/** Starts a cluster and waits until `up` says that it is ready. Removed by `await using`, whatever state it is in. */
export async function startCluster({ flags = [] }: ClusterOptions = {}): Promise<Cluster> {
  // Not below /tmp: images and pods want a real file system, and some machines hold /tmp in memory.
  const folder = await mkdtemp('/var/tmp/coracle-test-')
  const layout = hostLayout(join(folder, 'data'))
  const port = await freePort()
  const words = ['--data-dir', layout.dataDir, '--secure-port', String(port), '--node-name', 'node-1']
  words.push(...(typeof flags === 'function' ? await flags(folder) : flags))
  const up = (): Promise<string> => coracleOutput('up', ...words)
  const down = (): Promise<string> => coracleOutput('down', '--data-dir', layout.dataDir)
  const remove = async (): Promise<void> => {
    await down()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const printed = await up()
    const kubectl = await bindKubectl(layout.kubeconfig, folder)
    return {
      ...{ layout, port, kubectl, printed, up, down },
      loadImages: () => loadImages(layout),
      signal: (signal) => signalServer(layout, signal),
      [Symbol.asyncDispose]: remove,
    }
  } catch (error) {
    const log = readIfPresent(layout.serverLog).split('\n').slice(-30).join('\n')
    await remove().catch(() => undefined)
    throw new Error(`./coracle up failed; its log ends with:\n${log}`, { cause: error })
  }
}

/** Runs `./coracle` to its end, whatever the exit code. */
export function coracle(...args: readonly string[]): Promise<ProgramResult> {
  return runProgram(join(checkout, 'coracle'), args, { timeoutMs: upTimeoutMs })
}

function coracleOutput(...args: readonly string[]): Promise<string> {
  return outputOf(join(checkout, 'coracle'), args, { timeoutMs: upTimeoutMs })
}

/** Imports the test images into the containerd of a node on this machine. */
export async function loadImages(layout: HostLayout): Promise<void> {
  const archive = await testImageArchive()
  await outputOf('ctr', ['--address', layout.containerd.socket, '--namespace', 'k8s.io', 'images', 'import', archive])
}

async function signalServer(layout: HostLayout, signal: NodeJS.Signals): Promise<void> {
  const [pid = ''] = readFileSync(layout.serverPidFile, 'utf8').split(' ')
  process.kill(Number(pid), signal)
  const isGone = (): true | undefined =>
    /^State:\s+[^Z]/m.test(readIfPresent(`/proc/${pid}/status`)) ? undefined : true
  await eventually(isGone, { what: `the cluster's process ends after ${signal}` })
}

/** A control plane without a node, in the foreground. */
export interface Server extends AsyncDisposable {
  readonly kubectl: Kubectl
  readonly kubeconfig: string
  readonly url: string
  readonly pid: number
  /** Ends it and resolves with its exit code, or with the signal that ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | string>
}

export interface ServerOptions {
  readonly storage?: 'memory' | 'sqlite' | 'etcd'
  /** Data of an earlier server to go on with; by default a fresh folder, removed in the end. */
  readonly dataDir?: string
  /** Default 127.0.0.1. */
  readonly bindAddress?: string
  /** Default: a free one. */
  readonly port?: number
  /** More words for the command line. */
  readonly flags?: readonly string[]
}

/** Starts `./coracle server` on a free port of the loopback and waits until it answers. Needs no root. */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const folder = await mkdtemp('/var/tmp/coracle-test-')
  const kubeconfig = join(folder, 'kubeconfig')
  const address = options.bindAddress ?? '127.0.0.1'
  const port = options.port ?? (await freePort())
  const args = ['--bind-address', address, '--secure-port', String(port)]
  args.push('--data-dir', options.dataDir ?? join(folder, 'data'), '--write-kubeconfig', kubeconfig)
  args.push('--storage', options.storage ?? 'memory', ...(options.flags ?? []))
  const child = spawn(join(checkout, 'coracle'), ['server', ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-10_000)))
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> => {
    child.kill(signal)
    const [code, by] = await ended
    return code ?? by ?? 'unknown'
  }
  const remove = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) await stop('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
  const kubectl = await bindKubectl(kubeconfig, folder)
  const isReady = async (): Promise<true | undefined> => {
    if (child.exitCode !== null) return true
    return (await kubectl.run(['get', '--raw', '/readyz'])).code === 0 ? true : undefined
  }
  await eventually(isReady, { what: './coracle server answers' }).catch(async (error: unknown) => {
    await remove()
    throw error
  })
  if (child.exitCode !== null) {
    await remove()
    throw new Error(`./coracle server ended with code ${child.exitCode}:\n${log}`)
  }
  const url = `https://${address}:${port}`
  return { kubectl, kubeconfig, url, pid: child.pid ?? 0, stop, [Symbol.asyncDispose]: remove }
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function readIfPresent(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
