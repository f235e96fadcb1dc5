import { isStatusError } from '#api/meta/status.ts'
import type { Lease } from '#api/types/coordination.v1.ts'
import { leases } from '#api/types/resources.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Random } from '#lib/random.ts'
import type { Client } from './client.ts'
import { decideLease, releasedLease } from './lease-decision.ts'

export interface LeaderElectionOptions {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly lease: { readonly namespace: string; readonly name: string }
  /** Who this candidate is, unique among all candidates. */
  readonly identity: string
  /** Ends the candidacy; a held lease is released. */
  readonly signal: AbortSignal
  /** How long others wait for a silent holder; default 15 s. */
  readonly leaseDurationMs?: number
  /** How long the holder tries to renew before it gives up; default 10 s. */
  readonly renewDeadlineMs?: number
  /** Pause between tries; default 2 s. */
  readonly retryPeriodMs?: number
}

/**
 * Waits for the lease, runs `lead`, and keeps renewing. `lead`'s signal is aborted when the lease is lost or the
 * candidacy ends; `lead` must then stop. Resolves with why it ended; rejects only if `lead` does.
 */
export async function runAsLeader(
  options: LeaderElectionOptions,
  lead: (signal: AbortSignal) => Promise<void>,
): Promise<'lost' | 'stopped' | 'finished'> {
  const candidate = new Candidate(options)
  if (!(await candidate.acquire())) return 'stopped'
  options.log.info('This process leads', { lease: options.lease.name, identity: options.identity })
  const ending = new AbortController()
  const renewing = candidate.renewUntil(ending.signal)
  void renewing.then(() => ending.abort())
  try {
    await lead(ending.signal)
  } finally {
    ending.abort()
  }
  const how = await renewing
  if (how !== 'lost') await candidate.release()
  return how === 'lost' ? 'lost' : options.signal.aborted ? 'stopped' : 'finished'
}

class Candidate {
  readonly #options: LeaderElectionOptions
  #lease: Lease | undefined
  #seenAtMs = -Infinity

  constructor(options: LeaderElectionOptions) {
    this.#options = options
  }

  /** False when the candidacy ended first. */
  async acquire(): Promise<boolean> {
    const { signal, random } = this.#options
    while (!signal.aborted) {
      if (await this.#try()) return true
      await this.#pause(signal, 1 + 1.2 * random.next())
    }
    return false
  }

  async renewUntil(ending: AbortSignal): Promise<'lost' | 'ended'> {
    const { clock, signal, renewDeadlineMs = 10_000 } = this.#options
    let renewedAtMs = clock.monotonic()
    while (!ending.aborted && !signal.aborted) {
      await this.#pause(AbortSignal.any([ending, signal]), 1)
      if (ending.aborted || signal.aborted) break
      if (await this.#try()) renewedAtMs = clock.monotonic()
      else if (clock.monotonic() - renewedAtMs >= renewDeadlineMs) return 'lost'
    }
    return 'ended'
  }

  async release(): Promise<void> {
    const { client, clock, lease, identity, log } = this.#options
    if (this.#lease?.spec.holderIdentity !== identity) return
    const spec = releasedLease(this.#lease.spec, clock.now())
    try {
      await client.resource(leases, lease.namespace).update({ ...this.#lease, spec })
    } catch (error) {
      log.info('The lease could not be released', { lease: lease.name, error: String(error) })
    }
  }

  #pause(signal: AbortSignal, stretch: number): Promise<void> {
    const { clock, retryPeriodMs = 2_000 } = this.#options
    return clock.sleep(retryPeriodMs * stretch, signal).catch(() => undefined)
  }

  async #try(): Promise<boolean> {
    const { clock, lease, log, signal, renewDeadlineMs = 10_000 } = this.#options
    // A server that does not answer must not make a leader believe that it still leads.
    const giveUp = new AbortController()
    const timer = clock.schedule(renewDeadlineMs, () => giveUp.abort(new Error('No answer within the renew deadline')))
    try {
      return await this.#write(AbortSignal.any([giveUp.signal, signal]))
    } catch (error) {
      if (!signal.aborted && !isStatusError(error, 'Conflict', 'AlreadyExists')) {
        log.warn('The lease could not be written', { lease: lease.name, error: String(error) })
      }
      return false
    } finally {
      timer.cancel()
    }
  }

  async #write(signal: AbortSignal): Promise<boolean> {
    const { client, clock, lease, identity, leaseDurationMs = 15_000 } = this.#options
    const collection = client.resource(leases, lease.namespace)
    const stored = await collection.get(lease.name, { signal }).catch(unlessMissing)
    this.#observe(stored)
    const unchangedForMs = clock.monotonic() - this.#seenAtMs
    const question = { current: stored?.spec, identity, leaseDurationMs, unchangedForMs, nowMs: clock.now() }
    const spec = decideLease(question)
    if (spec === undefined) return false
    const written =
      stored === undefined
        ? await collection.create({ metadata: { name: lease.name, namespace: lease.namespace }, spec }, { signal })
        : await collection.update({ ...stored, spec }, { signal })
    this.#observe(written)
    return true
  }

  #observe(lease: Lease | undefined): void {
    if (lease?.metadata.resourceVersion !== this.#lease?.metadata.resourceVersion) {
      this.#seenAtMs = this.#options.clock.monotonic()
    }
    this.#lease = lease
  }
}

function unlessMissing(error: unknown): undefined {
  if (isStatusError(error, 'NotFound')) return undefined
  throw error
}
