import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { parseYaml } from '#lib/yaml.ts'

export interface ManifestUrlOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, readonly string[]>>
  /** HTTP has nothing to wait on: it is asked so often. */
  readonly everyMs: number
  readonly clock: Clock
  readonly log: Log
  /** What there is now, by place; called when it has changed. */
  readonly onLook: (texts: ReadonlyMap<string, string>) => Promise<void>
  /** Default: over HTTP. */
  readonly read?: (signal: AbortSignal) => Promise<string>
}

const timeoutMs = 10_000
const longestBytes = 10 * 1024 * 1024

/** Asks a URL for a Pod or a list of them until the signal aborts. While there is no answer the last one stands. */
export async function followManifestUrl(options: ManifestUrlOptions, signal: AbortSignal): Promise<void> {
  const { url, everyMs, clock, log, onLook, read = (each) => readUrl(options, each) } = options
  let known: string | undefined
  for (let failures = 0; !signal.aborted;) {
    try {
      const text = await read(signal)
      failures = 0
      if (text !== known) await onLook(manifestsIn(text, url))
      known = text
    } catch (error) {
      if (signal.aborted) return
      // A server that is away for long is told of once, and every so often.
      if (failures++ % 100 === 0) log.warn('Failed to read pods from URL', { url, error })
    }
    await clock.sleep(everyMs, signal).catch(() => undefined)
  }
}

/** The manifests of a text, by place. Throws when it is neither a Pod nor a list of Pods. */
export function manifestsIn(text: string, url: string): ReadonlyMap<string, string> {
  if (text === '') throw new Error(`zero-length data received from ${url}`)
  const { kind, items } = parseYaml(text).value as { kind?: unknown; items?: unknown }
  if (kind !== 'PodList' || !Array.isArray(items)) return new Map([[url, text]])
  return new Map(
    items.map((item: object, index) => {
      // Items of a list do not repeat what they are.
      return [`${url}#${index}`, JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...item })]
    }),
  )
}

async function readUrl({ url, headers, clock }: ManifestUrlOptions, signal: AbortSignal): Promise<string> {
  const late = new AbortController()
  const timer = clock.schedule(timeoutMs, () => late.abort(new Error('timeout')))
  try {
    const words = Object.entries(headers).flatMap(([name, values]) =>
      values.map((value): [string, string] => [name, value]),
    )
    const answer = await fetch(url, {
      headers: words,
      signal: AbortSignal.any([signal, late.signal]),
    })
    if (!answer.ok) throw new Error(`${url}: ${answer.status} ${answer.statusText}`)
    return await bounded(answer)
  } finally {
    timer.cancel()
  }
}

async function bounded(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length
    if (bytes > longestBytes) throw new Error(`more than ${longestBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
