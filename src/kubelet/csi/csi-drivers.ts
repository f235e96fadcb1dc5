import { csiDrivers } from '#api/types/resources.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { CSIDriver } from '#api/types/storage.v1.ts'
import type { Client } from '#client/client.ts'
import type { Clock, Timer } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { KubeletMetrics } from '../metrics/kubelet-metrics.ts'
import type { Plugin, PluginHandler } from '../plugins/plugin-registry.ts'
import { CsiDriver } from './csi-driver.ts'
import { CsiNodeWriter } from './csi-node.ts'
import { csiCallTimer } from './timed-connection.ts'

export interface CsiDriversOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  readonly nodeName: string
  readonly metrics: KubeletMetrics
  /** A driver has come: what waits for it is to be tried again. */
  readonly onArrival: () => void
}

/** The CSI drivers that have registered on this node. */
export class CsiDrivers implements PluginHandler {
  readonly type = 'CSIPlugin'
  readonly #options: CsiDriversOptions
  readonly #node: CsiNodeWriter
  readonly #drivers = new Map<string, CsiDriver>()
  readonly #renewals = new Map<string, Timer>()

  constructor(options: CsiDriversOptions) {
    this.#options = options
    this.#node = new CsiNodeWriter(options.client, options.nodeName)
  }

  /** Makes the node's CSINode, which tells that the node can have drivers. */
  announce(): Promise<void> {
    return this.#node.ensure()
  }

  get(name: string): CsiDriver {
    const driver = this.#drivers.get(name)
    if (driver === undefined) throw new Error(`driver name ${name} not found in the list of registered CSI drivers`)
    return driver
  }

  async register({ name, endpoint, supportedVersions }: Plugin): Promise<void> {
    if (!supportedVersions.some((version) => /^v?1(\.|$)/.test(version)))
      throw new Error(
        `failed to get highest supported version of CSI driver ${name}: none of the versions reported by this driver are supported`,
      )
    const driver = await CsiDriver.connect({ name, endpoint }, csiCallTimer(name, this.#options))
    try {
      await this.#node.add(name, await driver.info())
    } catch (error) {
      driver.close()
      throw error
    }
    this.#drivers.get(name)?.close()
    this.#drivers.set(name, driver)
    await this.#renewNowAndThen(driver)
    this.#options.onArrival()
  }

  async deregister(name: string): Promise<void> {
    this.#drivers.get(name)?.close()
    this.#drivers.delete(name)
    this.#renewals.get(name)?.cancel()
    this.#renewals.delete(name)
    await this.#node.remove(name)
  }

  /** What the cluster says of a driver; `undefined` when it says nothing. */
  async rulesOf(name: string): Promise<CSIDriver | undefined> {
    try {
      return await this.#options.client.resource(csiDrivers).get(name)
    } catch (error) {
      if (isStatusError(error, 'NotFound')) return undefined
      throw error
    }
  }

  /** Asks the driver how many volumes the node takes, and tells the API. */
  async renew(name: string): Promise<void> {
    const driver = this.#drivers.get(name)
    if (driver !== undefined) await this.#node.add(name, await driver.info())
  }

  stop(): void {
    for (const renewal of this.#renewals.values()) renewal.cancel()
    for (const driver of this.#drivers.values()) driver.close()
  }

  /** Where the cluster asks for it, the driver's limit is asked anew at intervals (KEP-4876). */
  async #renewNowAndThen(driver: CsiDriver): Promise<void> {
    const { name } = driver
    this.#renewals.get(name)?.cancel()
    const rules = await this.rulesOf(name).catch(() => undefined)
    const periodSeconds = rules?.spec.nodeAllocatableUpdatePeriodSeconds
    if (periodSeconds === undefined || this.#drivers.get(name) !== driver) return
    const renew = async (): Promise<void> => {
      await this.renew(name).catch((error: unknown) =>
        this.#options.log.warn('attach limit not renewed', { driver: name, error }),
      )
      await this.#renewNowAndThen(driver)
    }
    this.#renewals.set(
      name,
      this.#options.clock.schedule(periodSeconds * 1000, () => void renew()),
    )
  }
}
