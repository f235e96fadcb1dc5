import type { ApiResponse, UserInfo, WireWatchEvent } from '#api/meta/exchange.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { manualClock, type ManualClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { seededRandom } from '#lib/random.ts'
import { memoryStore, type MemoryStore } from '#storage/memory/memory-store.ts'
import { createApiServer, type ApiServer, type ApiServerOptions } from './server.ts'

/** What tests read of any answer. */
export interface TestObject extends KubernetesObject {
  readonly items: readonly TestObject[]
  readonly spec: Readonly<Record<string, unknown>>
  readonly status: unknown
  readonly message: string
  readonly reason: string
  readonly code: number
  readonly details: unknown
  readonly data: Readonly<Record<string, string>>
}

export interface TestAnswer {
  readonly code: number
  readonly object: TestObject
  readonly text: string
  readonly headers: ApiResponse['headers']
}

export interface TestCall {
  readonly body?: unknown
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly user?: UserInfo
}

/** A server over a store in memory, asked in this process, whose time stands still. */
export interface TestServer {
  readonly server: ApiServer
  readonly store: MemoryStore
  readonly clock: ManualClock
  /** `GET /api/v1/…`: method and path in one string. */
  call(line: string, call?: TestCall): Promise<TestAnswer>
  /** The events of a watch; `take` resolves with the next ones. */
  watch(path: string, query?: string): Promise<TestWatch>
  close(): Promise<void>
}

export interface TestWatch {
  take(count: number): Promise<readonly string[]>
  readonly events: AsyncIterator<WireWatchEvent>
  stop(): void
}

const admin: UserInfo = { name: 'admin', groups: ['system:masters'] }

export async function testServer(options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  const clock = manualClock()
  const store = memoryStore()
  const server = createApiServer({ store, clock, random: seededRandom(1), log: silentLog, ...options })
  await server.start()
  const handle = (
    line: string,
    { body, query = '', headers = {}, user = admin }: TestCall,
    signal: AbortSignal,
  ): Promise<ApiResponse> => {
    const [method = '', path = ''] = line.split(' ')
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const sent = { 'user-agent': 'test/1.0', ...type, ...headers }
    return server.handle({ method, path, query: new URLSearchParams(query), headers: sent, body, user, signal })
  }
  return {
    server,
    store,
    clock,
    call: async (line, call = {}) => answerOf(await handle(line, call, new AbortController().signal)),
    async watch(path, query = '') {
      const stopping = new AbortController()
      const { body } = await handle(`GET ${path}`, { query: `watch=1&${query}` }, stopping.signal)
      if (body.type !== 'watch') throw new Error(`no watch but ${JSON.stringify(body)}`)
      const events = body.events[Symbol.asyncIterator]()
      return { events, take: (count) => takeEvents(events, count), stop: () => stopping.abort() }
    },
    async close() {
      await server.close()
      await store.close()
    },
  }
}

function answerOf({ status, body, headers }: ApiResponse): TestAnswer {
  const object = (body.type === 'object' ? body.object : {}) as TestObject
  const text = body.type === 'bytes' ? Buffer.from(body.bytes).toString() : ''
  return { code: status, object, text, headers }
}

/** `ADDED a`, `DELETED b`: type and name. */
async function takeEvents(events: AsyncIterator<WireWatchEvent>, count: number): Promise<string[]> {
  const taken: string[] = []
  while (taken.length < count) {
    const { value, done } = await events.next()
    if (done === true) return [...taken, 'end']
    const object = value.object as TestObject
    taken.push(`${value.type} ${object.metadata.name ?? object.message ?? ''}`.trim())
  }
  return taken
}

export function configMap(name: string, more: object = {}): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...more }
}
