import assert from 'node:assert/strict'
import type { ApiResponse, UserInfo } from '#api/meta/exchange.ts'
import { admissionPlugins } from '#apiserver/admission/plugins.ts'
import { namespaces, serviceAccounts } from '#api/types/resources.ts'
import { createApiServer } from '#apiserver/server.ts'
import { manualClock } from '#lib/clock.ts'
import { silentLog, type Log } from '#lib/log.ts'
import { seededRandom } from '#lib/random.ts'
import { memoryStore } from '#storage/memory/memory-store.ts'

/** A request as fuzzers make it up. */
export interface FuzzedRequest {
  readonly method: string
  readonly path: string
  readonly query?: string
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
}

/** A server in this process that remembers what it could not answer as it should. */
export interface FuzzedServer {
  /** Answers the request; throws an assertion if the server was taken by surprise, took too long, or was polluted. */
  ask(request: FuzzedRequest): Promise<ApiResponse>
  close(): Promise<void>
}

/** No request of a client may keep the server busy for longer. */
const patienceMs = 20_000
/** Longer than the server lets any request but a watch wait. */
const waitMs = 20_000
const admin: UserInfo = { name: 'admin', groups: ['system:masters'] }

export async function fuzzedServer(): Promise<FuzzedServer> {
  const store = memoryStore()
  const surprises: unknown[] = []
  const log = surpriseLog(surprises)
  const clock = manualClock()
  const options = { store, clock, random: seededRandom(1), log, admission: admissionPlugins }
  const server = createApiServer(options)
  await server.start()
  await server.bootstrap.ensure([
    { resource: namespaces, object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } } },
    {
      resource: serviceAccounts,
      object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'default' } },
    },
  ])
  return {
    async ask({ method, path, query = '', contentType, headers = {}, body }) {
      const stopping = new AbortController()
      const bytes = typeof body === 'string' ? Buffer.from(body) : body
      const startMs = performance.now()
      const asked = server.handle({
        method,
        path,
        query: new URLSearchParams(query),
        headers: { ...headers, ...(contentType !== undefined && { 'content-type': contentType }) },
        ...(bytes !== undefined && { body: Buffer.from(bytes) }),
        user: admin,
        signal: stopping.signal,
      })
      // A list from the future waits, by a clock that stands still unless it is moved.
      const [response] = await Promise.all([asked, clock.advance(waitMs)])
      stopping.abort()
      const tookMs = performance.now() - startMs
      assert.deepEqual(surprises.splice(0), [], 'the server was taken by surprise')
      assert.ok(tookMs < patienceMs, `the request took ${Math.round(tookMs)} ms`)
      assertClean()
      return response
    },
    async close() {
      await server.close()
      await store.close()
    },
  }
}

function surpriseLog(surprises: unknown[]): Log {
  const log: Log = {
    ...silentLog,
    error: (_message, fields) => void surprises.push((fields?.['error'] as Error | undefined)?.stack ?? fields),
    with: () => log,
  }
  return log
}

/** No request may reach the prototypes that all objects share. */
function assertClean(): void {
  assert.deepEqual(Object.keys(Object.prototype), [])
  const plain: Record<string, unknown> = {}
  for (const name of ['polluted', 'name', 'spec', 'labels', '0']) assert.equal(plain[name], undefined)
}

/** The seed of this run; `FUZZ_SEED` and `FUZZ_RUNS` try others and more. */
export const fuzzParameters = (runs: number): { seed: number; numRuns: number } => ({
  seed: Number(process.env['FUZZ_SEED'] ?? 1_036),
  numRuns: Number(process.env['FUZZ_RUNS'] ?? runs),
})
