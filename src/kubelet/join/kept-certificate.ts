import { X509Certificate } from 'node:crypto'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Random } from '#lib/random.ts'
import type { KeyPair } from '#lib/x509/certificate.ts'
import { joinPair } from '#lib/x509/key-pair-text.ts'
import type { KeyFiles } from './key-files.ts'

export interface KeptCertificateOptions {
  readonly files: KeyFiles
  readonly fileName: string
  /** What is kept already and still good. */
  readonly pair: KeyPair | undefined
  /** Obtains a new pair from the cluster. */
  readonly request: (signal: AbortSignal) => Promise<KeyPair>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

const firstRetryMs = 1_000
const longestRetryMs = 300_000
const shortestLifeMs = 60_000
/** Timers of a year do not exist, and wall clocks jump: the time is looked at anew this often. */
const longestSleepMs = 21_600_000

/** When 70 to 90 % of the life are over, by chance: nodes that joined together should not renew together. */
function renewalMs(certificatePem: string, chance: number): number {
  const { validFromDate, validToDate } = new X509Certificate(certificatePem)
  const startMs = validFromDate.getTime()
  return startMs + (validToDate.getTime() - startMs) * (0.7 + 0.2 * chance)
}

/** A certificate of this node: kept in a file, obtained where it is missing, and renewed when most of its life is over. */
export class KeptCertificate {
  readonly #options: KeptCertificateOptions
  readonly #listeners = new Set<(pair: KeyPair) => void>()
  #pair: KeyPair | undefined

  constructor(options: KeptCertificateOptions) {
    this.#options = options
    this.#pair = options.pair
  }

  get current(): KeyPair | undefined {
    return this.#pair
  }

  listen(install: (pair: KeyPair) => void): () => void {
    this.#listeners.add(install)
    return () => this.#listeners.delete(install)
  }

  /** Obtains and renews until the signal aborts; failures are logged and tried again. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    let retryMs = firstRetryMs
    while (!signal.aborted) {
      try {
        await this.#untilDue(signal)
        this.#install(await this.#options.request(signal))
        retryMs = firstRetryMs
        // Were this machine's clock far ahead, every certificate would look old.
        await this.#options.clock.sleep(shortestLifeMs, signal)
      } catch (error) {
        if (signal.aborted) return
        this.#options.log.warn('A certificate of this node could not be obtained', { reason: (error as Error).message })
        await this.#options.clock.sleep(retryMs, signal).catch(() => undefined)
        retryMs = Math.min(retryMs * 2, longestRetryMs)
      }
    }
  }

  async #untilDue(signal: AbortSignal): Promise<void> {
    if (this.#pair === undefined) return
    const { clock, random } = this.#options
    const dueMs = renewalMs(this.#pair.certificate, random.next())
    for (let leftMs = dueMs - clock.now(); leftMs > 0; leftMs = dueMs - clock.now()) {
      await clock.sleep(Math.min(leftMs, longestSleepMs), signal)
    }
  }

  #install(pair: KeyPair): void {
    this.#options.files.write(this.#options.fileName, joinPair(pair))
    this.#pair = pair
    for (const install of this.#listeners) install(pair)
  }
}
