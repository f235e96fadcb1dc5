import { lstat, mkdir, readdir, watch } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { KeyedTurns } from '#lib/keyed-turns.ts'
import type { Log } from '#lib/log.ts'
import { connectGrpc } from '../cri/grpc-connection.ts'

/** What a plugin tells of itself. */
export interface Plugin {
  readonly name: string
  /** The socket of the plugin's own service. */
  readonly endpoint: string
  readonly supportedVersions: readonly string[]
}

/** Takes plugins of one type in. */
export interface PluginHandler {
  /** As plugins write it, such as `CSIPlugin`. */
  readonly type: string
  /** Called again with the same name when the plugin comes back. Throws with what the plugin is told when refused. */
  register(plugin: Plugin): Promise<void>
  /** The plugin's registration socket is gone. */
  deregister(name: string): Promise<void>
}

export interface PluginRegistryOptions {
  /** Folder in which plugins put their registration sockets. */
  readonly folder: string
  readonly handlers: readonly PluginHandler[]
  readonly clock: Clock
  readonly log: Log
}

const callTimeoutMs = 30_000
const firstRetryMs = 250
const longestRetryMs = 120_000

interface KnownSocket {
  /** Tells one socket from the next of the same name. */
  readonly identity: string
  retryMs: number
  plugin?: { readonly handler: PluginHandler; readonly name: string }
}

/** Registers the plugins whose sockets lie in the folder, as they come and go; what fails is tried again. */
export class PluginRegistry {
  readonly #options: PluginRegistryOptions
  readonly #sockets = new Map<string, KnownSocket>()
  readonly #turns = new KeyedTurns()

  constructor(options: PluginRegistryOptions) {
    this.#options = options
  }

  /** Resolves once the signal has aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { folder, log } = this.#options
    await mkdir(folder, { recursive: true, mode: 0o750 })
    try {
      const changes = watch(folder, { signal })
      // The watch begins with its first step, so the folder is read after it.
      const first = changes[Symbol.asyncIterator]()
      let next = first.next()
      await this.#look(signal)
      while (!(await next).done) {
        next = first.next()
        await this.#look(signal)
      }
    } catch (error) {
      if (!signal.aborted) log.error('plugins are not looked for any more', { error })
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const present = await socketsIn(this.#options.folder)
    for (const [path, known] of this.#sockets) {
      if (present.get(path) === known.identity) continue
      this.#sockets.delete(path)
      // A plugin that has come back at once is registered anew without being forgotten in between.
      if (!present.has(path)) this.#background(path, () => this.#forget(known))
    }
    for (const [path, identity] of present) {
      if (this.#sockets.has(path)) continue
      const socket: KnownSocket = { identity, retryMs: firstRetryMs }
      this.#sockets.set(path, socket)
      this.#background(path, () => this.#register(path, socket, signal))
    }
  }

  #background(path: string, work: () => Promise<void>): void {
    this.#turns.run(path, work).catch((error: unknown) => this.#options.log.warn('plugin failed', { path, error }))
  }

  async #forget({ plugin }: KnownSocket): Promise<void> {
    await plugin?.handler.deregister(plugin.name)
  }

  async #register(path: string, socket: KnownSocket, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#sockets.get(path) !== socket) return
    try {
      const plugin = await this.#introduce(path)
      socket.plugin = plugin
    } catch (error) {
      const { clock, log } = this.#options
      log.warn('plugin not registered', { path, error })
      clock.schedule(socket.retryMs, () => this.#background(path, () => this.#register(path, socket, signal)))
      socket.retryMs = Math.min(socket.retryMs * 2, longestRetryMs)
    }
  }

  async #introduce(path: string): Promise<NonNullable<KnownSocket['plugin']>> {
    const { Registration } = await import('./generated/plugin-registration_pb.ts')
    const { getInfo, notifyRegistrationStatus: notify } = Registration.method
    const connection = await connectGrpc(path)
    const options = { timeoutMs: callTimeoutMs }
    try {
      const { type, name, endpoint, supportedVersions } = await connection.unary(getInfo, {}, options)
      const handler = this.#options.handlers.find((each) => each.type === type)
      const error = await this.#refusalOf(handler, { name, endpoint: endpoint || path, supportedVersions }, type)
      await connection.unary(notify, { pluginRegistered: error === '', error }, options)
      if (error !== '' || handler === undefined) throw new Error(error)
      this.#options.log.info('plugin registered', { type, name })
      return { handler, name }
    } finally {
      connection.close()
    }
  }

  /** Hands the plugin on; empty when it was taken. */
  async #refusalOf(handler: PluginHandler | undefined, plugin: Plugin, type: string): Promise<string> {
    if (handler === undefined) return `no handler registered for plugin type: ${type}`
    try {
      await handler.register(plugin)
      return ''
    } catch (error) {
      return `RegisterPlugin error -- plugin registration failed with err: ${error instanceof Error ? error.message : String(error)}`
    }
  }
}

/** The sockets of a folder, and what tells each from a later one of its name. */
async function socketsIn(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const name of await readdir(folder)) {
    if (name.startsWith('.')) continue
    const path = join(folder, name)
    const stats = await lstat(path, { bigint: true }).catch(() => undefined)
    if (stats?.isSocket() === true) found.set(path, `${stats.ino}.${stats.ctimeNs}`)
  }
  return found
}
