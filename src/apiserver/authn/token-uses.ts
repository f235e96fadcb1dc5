import { dayOf, lastUsedLabel } from '#api/core/v1/legacy-token.ts'
import type { ApiHandler, UserInfo } from '#api/meta/exchange.ts'
import type { Secret } from '#api/types/core.v1.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { LruMap } from '#lib/lru-map.ts'

const writer: UserInfo = { name: 'system:apiserver', groups: ['system:masters'] }
const maxSecrets = 10_000

/** Writes down, once a day, that the token of a secret was used. Nobody waits for it. */
export class TokenUses {
  readonly #noted = new LruMap<string, string>(maxSecrets)
  readonly #options: { readonly clock: Clock; readonly log: Log; readonly handle: ApiHandler }

  constructor(options: { readonly clock: Clock; readonly log: Log; readonly handle: ApiHandler }) {
    this.#options = options
  }

  note({ metadata }: Secret): void {
    const { clock, log } = this.#options
    const today = dayOf(clock.now())
    if (metadata.labels?.[lastUsedLabel] === today || this.#noted.get(metadata.uid) === today) return
    this.#noted.set(metadata.uid, today)
    this.#write(metadata, today).catch((error: unknown) => {
      this.#noted.delete(metadata.uid)
      log.warn('Cannot note the use of a token', { namespace: metadata.namespace, secret: metadata.name, error })
    })
  }

  async #write({ namespace = '', name, uid }: Secret['metadata'], today: string): Promise<void> {
    const { status } = await this.#options.handle({
      method: 'PATCH',
      path: `/api/v1/namespaces/${namespace}/secrets/${name}`,
      query: new URLSearchParams({ fieldManager: 'kube-apiserver' }),
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { metadata: { uid, labels: { [lastUsedLabel]: today } } },
      user: writer,
      signal: new AbortController().signal,
    })
    if (status >= 400) throw new Error(`the server answered ${status}`)
  }
}
