import type { Clock } from '#lib/clock.ts'
import { deviceId } from '#api/resource/v1/device-ids.ts'

export type Health = 'Healthy' | 'Unhealthy' | 'Unknown'

/** What a driver says of one of its devices. */
export interface ReportedHealth {
  readonly pool: string
  readonly device: string
  readonly health: Health
  /** How long it holds without being said again; 0: as long as usual. */
  readonly timeoutMs: number
}

interface Known {
  readonly health: Health
  readonly untilMs: number
}

const usualTimeoutMs = 30_000
const maxDevices = 10_000

/** How the devices of drivers are, by what these said last; nobody knows it of a driver that has fallen silent. */
export class DeviceHealth {
  readonly #clock: Clock
  readonly #byDriver = new Map<string, ReadonlyMap<string, Known>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes what a driver says of its devices; those that it leaves out keep theirs. Answers whether any has changed. */
  take(driver: string, reports: readonly ReportedHealth[]): boolean {
    const before = new Map(this.#byDriver.get(driver))
    let isChanged = false
    for (const { health, timeoutMs, ...name } of reports.slice(0, maxDevices)) {
      const id = deviceId({ driver, ...name })
      if (this.of(driver, name.pool, name.device) !== health) isChanged = true
      before.set(id, { health, untilMs: this.#clock.monotonic() + (timeoutMs || usualTimeoutMs) })
    }
    this.#byDriver.set(driver, before)
    return isChanged
  }

  forget(driver: string): void {
    this.#byDriver.delete(driver)
  }

  of(driver: string, pool: string, device: string): Health {
    const known = this.#byDriver.get(driver)?.get(deviceId({ driver, pool, device }))
    return known && known.untilMs >= this.#clock.monotonic() ? known.health : 'Unknown'
  }
}
