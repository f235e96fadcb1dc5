import { readFile, rename, writeFile } from 'node:fs/promises'
import type { Log } from '#lib/log.ts'

/** A small file that outlives the process. A crash leaves the old text or the new one. */
export class StateFile {
  readonly path: string
  readonly #log: Log
  #saving: Promise<void> = Promise.resolve()

  constructor(path: string, log: Log) {
    this.path = path
    this.#log = log
  }

  /** `undefined` when there is no such file. Throws when it cannot be read. */
  async read(): Promise<string | undefined> {
    return readFile(this.path, 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    })
  }

  /** Writes one text after the other; `saved` tells when. */
  save(text: string): void {
    this.#saving = this.#saving.then(async () => {
      const file = `${this.path}.new`
      await writeFile(file, text, { mode: 0o600, flush: true })
      await rename(file, this.path)
    })
    this.#saving = this.#saving.catch((error: unknown) =>
      this.#log.error('state not saved', { path: this.path, error }),
    )
  }

  saved(): Promise<void> {
    return this.#saving
  }
}
