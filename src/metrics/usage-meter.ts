import type { Clock, Timer } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { parseResourcePage } from './resource-page.ts'
import { clusterUsage, type ClusterReadings, type ClusterUsage } from './usage.ts'
import type { NodeReadings } from './resource-page.ts'

export interface UsageMeterOptions {
  readonly clock: Clock
  readonly log: Log
  /** Names of the nodes whose kubelets can be asked. */
  readonly nodes: () => Promise<readonly string[]>
  /** A kubelet's page of resource metrics, as text. */
  readonly scrape: (node: string) => Promise<string>
}

/** Answers younger than this are given again. */
const freshMs = 10_000
/** A rate over more than this is about another time. */
const longestWindowMs = 120_000
/** What the first question waits for its rates. */
const shortestWindowMs = 1_000
/** Kubelets asked at once. */
const atOnce = 16

interface Look {
  readonly atMs: number
  readonly readings: ClusterReadings
}

/**
 * Measures what a cluster uses when somebody asks, and never else: a rate needs two looks, and whoever asks again and
 * again gets it from the look of the time before. What was seen is forgotten when nobody has asked for two minutes.
 */
export class UsageMeter {
  readonly #options: UsageMeterOptions
  #last: Look | undefined
  #usage: ClusterUsage | undefined
  #running: Promise<ClusterUsage> | undefined
  #forgetting: Timer | undefined

  constructor(options: UsageMeterOptions) {
    this.#options = options
  }

  /** Whoever asks while a measurement is under way gets its result. */
  read(): Promise<ClusterUsage> {
    const { clock } = this.#options
    if (this.#usage !== undefined && this.#last !== undefined && clock.monotonic() - this.#last.atMs < freshMs) {
      return Promise.resolve(this.#usage)
    }
    this.#running ??= this.#measure().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #measure(): Promise<ClusterUsage> {
    const { clock } = this.#options
    let before = this.#last
    if (before === undefined || clock.monotonic() - before.atMs > longestWindowMs) {
      before = await this.#look()
      await clock.sleep(shortestWindowMs)
    }
    const now = await this.#look()
    this.#usage = clusterUsage(before.readings, now.readings)
    this.#last = now
    this.#forgetting?.cancel()
    this.#forgetting = clock.schedule(longestWindowMs, () => {
      this.#last = undefined
      this.#usage = undefined
    })
    return this.#usage
  }

  async #look(): Promise<Look> {
    const { clock, nodes, scrape, log } = this.#options
    const readings = new Map<string, NodeReadings>()
    const left = [...(await nodes())]
    const ask = async (): Promise<void> => {
      for (let node = left.pop(); node !== undefined; node = left.pop()) {
        try {
          readings.set(node, parseResourcePage(await scrape(node), clock.now()))
        } catch (error) {
          log.info('Cannot read what a node uses', { node, error: (error as Error).message })
        }
      }
    }
    const atMs = clock.monotonic()
    await Promise.all(Array.from({ length: Math.min(atOnce, left.length) }, ask))
    return { atMs, readings }
  }
}
