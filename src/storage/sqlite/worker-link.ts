import { Worker } from 'node:worker_threads'

/** What the main thread asks of the database worker. `rows` are packed, see `packRows`. */
export type WorkerRequest =
  | { readonly kind: 'commit'; readonly rows: ArrayBuffer }
  | { readonly kind: 'forget'; readonly revision: number; readonly rows: ArrayBuffer }
  | { readonly kind: 'shrink' }
  | { readonly kind: 'close' }

export interface WorkerFailure {
  readonly message: string
  /** SQLite's primary result code, if the failure is SQLite's. */
  readonly errcode: number | undefined
}

export type WorkerReply = { readonly done: boolean } | { readonly failure: WorkerFailure }

interface Outstanding {
  resolve(done: boolean): void
  reject(error: Error): void
}

/** The writing thread failed; what it was asked for last may or may not be on disk. */
class WriteFailedError extends Error {
  readonly errcode: number | undefined
  constructor(failure: WorkerFailure) {
    super(`Cannot write to the database: ${failure.message}`)
    this.name = 'WriteFailedError'
    this.errcode = failure.errcode
  }
}

/**
 * The worker thread that owns the database for writing. Starting it takes some 20 ms, which the opening of the
 * database goes on beside; the worker opens the file at its first request.
 */
export class WorkerLink {
  readonly #worker: Worker
  readonly #outstanding: Outstanding[] = []
  #dead: WriteFailedError | undefined

  constructor(path: string) {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { path },
      // Rows pass through outside the JavaScript heap; the worker's own heap stays tiny.
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 },
    })
    this.#worker.on('message', (reply: WorkerReply) => this.#settle(reply))
    this.#worker.on('error', (error: unknown) => this.#die(error instanceof Error ? error.message : String(error)))
    this.#worker.on('exit', () => this.#die('the database worker ended'))
  }

  /** Sends a request; requests are carried out and answered in order. Rejects with `WriteFailedError`. */
  request(request: WorkerRequest): Promise<boolean> {
    if (this.#dead) return Promise.reject(this.#dead)
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    this.#outstanding.push({ resolve, reject })
    this.#worker.postMessage(request, 'rows' in request ? [request.rows] : [])
    return promise
  }

  /** Stops the thread at once, whatever it is doing. */
  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }

  #settle(reply: WorkerReply): void {
    const outstanding = this.#outstanding.shift()
    if ('failure' in reply) outstanding?.reject(new WriteFailedError(reply.failure))
    else outstanding?.resolve(reply.done)
  }

  #die(message: string): void {
    this.#dead ??= new WriteFailedError({ message, errcode: undefined })
    for (const { reject } of this.#outstanding.splice(0)) reject(this.#dead)
  }
}
