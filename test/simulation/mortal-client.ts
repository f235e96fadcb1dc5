import type { UserInfo } from '#api/meta/exchange.ts'
import type { Client, RawRequest, ResourceClient } from '#client/client.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'

/** A client of a process that can be killed: from then on it is never heard again, and hears nothing. */
export interface MortalClient {
  readonly client: Client
  kill(): void
}

/** How long the next event of a kind is on its way. */
export type Lag = (plural: string) => Promise<void>

/** What a dead process waits for never comes. */
const never = new Promise<never>(() => undefined)

/**
 * Requests that were on their way when the process died reach the server; their answers reach nobody, which is what a
 * kill -9 between a write and the next leaves behind. `lag` is waited for before each event of a watch, by the kind's
 * plural: caches are stale, and one more than another.
 */
export function mortalClient(living: Client, lag?: Lag): MortalClient {
  let isDead = false
  const wrap = (client: Client): Client => ({
    resource: (resource, namespace) =>
      mortalResource(client.resource(resource, namespace), () => isDead, lag && (() => lag(resource.plural))),
    raw: (request: RawRequest) => (isDead ? never : surviving(client.raw(request), () => isDead)),
    as: (user: UserInfo) => wrap(client.as(user)),
    observed: (observe) => wrap(client.observed(observe)),
  })
  return {
    client: wrap(living),
    kill() {
      isDead = true
    },
  }
}

function mortalResource<T extends KubernetesObject>(
  collection: ResourceClient<T>,
  isDead: () => boolean,
  lag: (() => Promise<void>) | undefined,
): ResourceClient<T> {
  const call = <Answer>(request: () => Promise<Answer>): Promise<Answer> =>
    isDead() ? never : surviving(request(), isDead)
  return {
    get: (...args) => call(() => collection.get(...args)),
    list: (...args) => call(() => collection.list(...args)),
    watch: (...args) => following(collection.watch(...args), isDead, lag),
    create: (...args) => call(() => collection.create(...args)),
    update: (...args) => call(() => collection.update(...args)),
    updateStatus: (...args) => call(() => collection.updateStatus(...args)),
    patch: (...args) => call(() => collection.patch(...args)),
    apply: (...args) => call(() => collection.apply(...args)),
    delete: (...args) => call(() => collection.delete(...args)),
    deleteCollection: (...args) => call(() => collection.deleteCollection(...args)),
    createSubresource: <Answer>(...args: Parameters<ResourceClient<T>['createSubresource']>) =>
      call(() => collection.createSubresource<Answer>(...args)),
  }
}

async function surviving<Answer>(request: Promise<Answer>, isDead: () => boolean): Promise<Answer> {
  try {
    const answer = await request
    return isDead() ? await never : answer
  } catch (error) {
    if (isDead()) return never
    throw error
  }
}

async function* following<Event>(
  events: AsyncIterable<Event>,
  isDead: () => boolean,
  lag: (() => Promise<void>) | undefined,
): AsyncIterable<Event> {
  for await (const event of events) {
    await lag?.()
    if (isDead()) return
    yield event
  }
}
