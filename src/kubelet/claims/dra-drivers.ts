import { resourceSlices } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import type { Clock, Timer } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Plugin, PluginHandler } from '../plugins/plugin-registry.ts'
import { RuntimeError } from '../cri/runtime.ts'
import { DeviceHealth } from './device-health.ts'
import { DraDriver } from './dra-driver.ts'

export interface DraDriversOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  readonly nodeName: string
  /** A driver has come: pods that wait for it are to be tried again. */
  readonly onArrival: () => void
  /** A driver says that one of its devices is better, or worse, than before. */
  readonly onHealth: () => void
}

/** A driver that is updated is away for a moment; after this it is taken to be gone, and what it offered with it. */
const returnWithinMs = 30_000
const healthRetryMs = 5_000

/** The drivers of resource claims that have registered on this node. */
export class DraDrivers implements PluginHandler {
  readonly type = 'DRAPlugin'
  readonly #options: DraDriversOptions
  readonly #drivers = new Map<string, DraDriver>()
  readonly #departures = new Map<string, Timer>()
  readonly #healthRetries = new Map<string, Timer>()
  readonly health: DeviceHealth

  constructor(options: DraDriversOptions) {
    this.#options = options
    this.health = new DeviceHealth(options.clock)
  }

  get(name: string): DraDriver {
    const driver = this.#drivers.get(name)
    if (driver === undefined) throw new Error(`DRA driver ${name} is not registered`)
    return driver
  }

  async register({ name, endpoint, supportedVersions }: Plugin): Promise<void> {
    const driver = await DraDriver.connect(name, endpoint, supportedVersions)
    this.#departures.get(name)?.cancel()
    this.#departures.delete(name)
    this.#drivers.get(name)?.close()
    this.#drivers.set(name, driver)
    void this.#followHealth(driver)
    this.#options.onArrival()
  }

  async deregister(name: string): Promise<void> {
    this.#drivers.get(name)?.close()
    this.#drivers.delete(name)
    this.health.forget(name)
    this.#options.onHealth()
    this.#departures.get(name)?.cancel()
    this.#departures.set(
      name,
      this.#options.clock.schedule(returnWithinMs, () => void this.#withdraw(name)),
    )
  }

  stop(): void {
    for (const timer of [...this.#departures.values(), ...this.#healthRetries.values()]) timer.cancel()
    for (const driver of this.#drivers.values()) driver.close()
  }

  /** Not every driver tells of the health of its devices; one that has begun to is asked again when it breaks off. */
  async #followHealth(driver: DraDriver): Promise<void> {
    const { clock, onHealth } = this.#options
    const { name } = driver
    try {
      for await (const reports of driver.health()) if (this.health.take(name, reports)) onHealth()
    } catch (error) {
      if (error instanceof RuntimeError && error.code === 'Unimplemented') return
    }
    if (driver.isClosed) return
    const again = clock.schedule(healthRetryMs, () => {
      this.#healthRetries.delete(name)
      if (!driver.isClosed) void this.#followHealth(driver)
    })
    this.#healthRetries.get(name)?.cancel()
    this.#healthRetries.set(name, again)
  }

  /** The scheduler must not count on the devices of a driver that is gone. */
  async #withdraw(name: string): Promise<void> {
    const { client, clock, log, nodeName } = this.#options
    try {
      await client
        .resource(resourceSlices)
        .deleteCollection({ fieldSelector: `spec.nodeName=${nodeName},spec.driver=${name}` })
      this.#departures.delete(name)
    } catch (error) {
      log.warn('resource slices not removed', { driver: name, error })
      this.#departures.set(
        name,
        clock.schedule(returnWithinMs, () => void this.#withdraw(name)),
      )
    }
  }
}
