import type { Clock } from '#lib/clock.ts'
import { Pace, type PaceSettings } from '#lib/pace.ts'
import type { Client, ResourceClient } from './client.ts'

/** The same client, each of whose requests waits for its turn; an open watch counts once. */
export function pacedClient(client: Client, clock: Clock, settings: PaceSettings): Client {
  return withPace(client, new Pace(clock, settings))
}

function withPace(client: Client, pace: Pace): Client {
  const paced =
    <Words extends unknown[], Answer>(call: (...words: Words) => Promise<Answer>) =>
    async (...words: Words): Promise<Answer> => {
      await pace.turn()
      return call(...words)
    }
  return {
    resource(resource, namespace) {
      const inner = client.resource(resource, namespace)
      return {
        get: paced(inner.get),
        list: paced(inner.list),
        async *watch(options) {
          await pace.turn()
          yield* inner.watch(options)
        },
        create: paced(inner.create),
        update: paced(inner.update),
        updateStatus: paced(inner.updateStatus),
        patch: paced(inner.patch),
        apply: paced(inner.apply),
        delete: paced(inner.delete),
        deleteCollection: paced(inner.deleteCollection),
        createSubresource: paced(inner.createSubresource) as ResourceClient<never>['createSubresource'],
      }
    },
    raw: paced((request) => client.raw(request)),
    observed: (observe) => withPace(client.observed(observe), pace),
    as: (user) => withPace(client.as(user), pace),
  }
}
