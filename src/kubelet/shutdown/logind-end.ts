import type { Clock } from '#lib/clock.ts'
import { connectDbus, type DbusConnection } from '#lib/dbus/connection.ts'
import type { Log } from '#lib/log.ts'
import { ensureInhibitDelay } from './inhibit-delay.ts'
import { LoginManager } from './login-manager.ts'
import type { MachineEnd, MachineEndSubject } from './machine-end.ts'
import { takeShutdownLock, type ShutdownLock } from './shutdown-lock.ts'

export interface LogindEndOptions {
  readonly clock: Clock
  readonly log: Log
  /** Of the system bus, such as `unix:path=/run/dbus/system_bus_socket`. */
  readonly busAddress: string
  /** The file by which systemd-logind is told to wait for longer. */
  readonly dropIn: string
  /** Default `takeShutdownLock`. */
  readonly takeLock?: () => Promise<ShutdownLock>
}

const firstRetryMs = 1_000
const longestRetryMs = 30_000

/**
 * Learns from systemd-logind that the machine goes down and makes it wait for the pods, by a lock of the kind `delay`
 * (KEP-2000). A bus that goes away is looked for again; where there never was one nothing more is done.
 */
export function logindEnd(options: LogindEndOptions): MachineEnd {
  const { clock, log, busAddress } = options
  return {
    async follow(subject, signal) {
      let retryMs = firstRetryMs
      for (let wasThere = false; !signal.aborted;) {
        try {
          const bus = await connectDbus(busAddress, clock)
          await new LogindSession(bus, options, subject).run(signal, () => {
            wasThere = true
            retryMs = firstRetryMs
          })
        } catch (error) {
          if (signal.aborted) return
          if (!wasThere) {
            log.info('systemd-logind does not tell this node when the machine goes down', { cause: messageOf(error) })
            return
          }
          log.warn('systemd-logind is not there any more', { cause: messageOf(error) })
        }
        await clock.sleep(retryMs, signal).catch(() => undefined)
        retryMs = Math.min(retryMs * 2, longestRetryMs)
      }
    },
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** One connection to the bus. */
class LogindSession {
  readonly #bus: DbusConnection
  readonly #options: LogindEndOptions
  readonly #subject: MachineEndSubject
  readonly #logind: LoginManager
  #lock: ShutdownLock | undefined
  /** What was said last, and what has been done about it. */
  #isGoingDown = false
  #isHandled = false
  #work: Promise<void> | undefined

  constructor(bus: DbusConnection, options: LogindEndOptions, subject: MachineEndSubject) {
    this.#bus = bus
    this.#options = options
    this.#subject = subject
    this.#logind = new LoginManager(bus)
  }

  /** Resolves when the bus has gone or the signal has aborted; nobody is waited for any more then. */
  async run(signal: AbortSignal, onReady: () => void): Promise<void> {
    const aborted = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => aborted.resolve(), { once: true })
    if (signal.aborted) aborted.resolve()
    try {
      await this.#logind.listen({
        onPrepareForShutdown: (isGoingDown) => this.#hear(isGoingDown),
        onRestart: () => void this.#retake(),
      })
      await this.#prepare()
      onReady()
      if (await this.#logind.isPreparingForShutdown()) this.#hear(true)
      await Promise.race([this.#bus.closed, aborted.promise])
      // The lock outlives the bus: pods that are ending keep their time.
      await Promise.race([this.#work, aborted.promise])
    } finally {
      this.#release()
      this.#bus.close()
    }
  }

  async #prepare(): Promise<void> {
    const { log } = this.#options
    const { neededMs } = this.#subject
    const delayMs = await ensureInhibitDelay(this.#logind, neededMs, this.#options)
    if (delayMs < neededMs) log.warn('systemd-logind does not wait as long as the pods may take', { delayMs, neededMs })
    await this.#takeLock()
  }

  async #takeLock(): Promise<void> {
    const { takeLock = takeShutdownLock, log } = this.#options
    const lock = await takeLock()
    this.#lock?.release()
    this.#lock = lock
    void lock.gone.then(() => {
      if (this.#lock !== lock) return
      this.#lock = undefined
      log.warn('The lock that makes the machine wait for the pods was lost')
      return this.#retake()
    })
  }

  /** A failure leaves the node without a lock; it still hears of the machine's end and does what it can. */
  async #retake(): Promise<void> {
    const { clock, log } = this.#options
    await clock.sleep(firstRetryMs)
    await this.#prepare().catch((error: unknown) => log.warn('The machine will not wait for the pods', { error }))
  }

  #release(): void {
    const lock = this.#lock
    this.#lock = undefined
    lock?.release()
  }

  #hear(isGoingDown: boolean): void {
    this.#isGoingDown = isGoingDown
    this.#work ??= this.#settle().finally(() => (this.#work = undefined))
  }

  /** One thing after the other: an end that is called off while pods end is called off when they have ended. */
  async #settle(): Promise<void> {
    while (this.#isHandled !== this.#isGoingDown) {
      const isGoingDown = this.#isGoingDown
      if (isGoingDown) {
        await this.#subject.begin()
        this.#release()
      } else {
        this.#subject.cancel()
        await this.#takeLock().catch((error: unknown) =>
          this.#options.log.warn('The machine will not wait for the pods', { error }),
        )
      }
      this.#isHandled = isGoingDown
    }
  }
}
