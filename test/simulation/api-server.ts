import type { ApiHandler, ApiRequest, UserInfo } from '#api/meta/exchange.ts'
import { admissionPlugins } from '#apiserver/admission/plugins.ts'
import { createAuthorizers } from '#apiserver/authz/authorizers.ts'
import { GrantIndex } from '#apiserver/authz/rbac-grants.ts'
import { bootstrap } from '#apiserver/bootstrap/bootstrap.ts'
import { createApiServer } from '#apiserver/server.ts'
import type { Client } from '#client/client.ts'
import { createClient } from '#client/create-client.ts'
import { inProcessTransport } from '#client/in-process-transport.ts'
import type { Effects } from '#main/effects.ts'
import { ownRoles } from '#main/own-roles.ts'
import type { Store } from '#storage/store.ts'

/** The real API server in this process. */
export interface RunningApiServer {
  clientAs(user: UserInfo): Client
  /** Ends the server and its store. */
  close(): Promise<void>
}

/** What the server publishes as its CA. */
export const rootCa = 'the root CA'

export const admin: UserInfo = { name: 'admin', groups: ['system:masters'] }

/** What somebody behind the API server answers to a request; undefined: it is not for them. */
export type Extension = (request: ApiRequest) => object | undefined

/** Starts the server on a store, with the rights and objects that every cluster starts with. */
export async function startApiServer(store: Store, effects: Effects, extension?: Extension): Promise<RunningApiServer> {
  const server = createApiServer({
    store,
    ...effects,
    admission: admissionPlugins,
    authorizers: createAuthorizers,
    reviews: (reader, authorizers) => {
      const grants = new GrantIndex(reader)
      return { authorizers, grants, tokens: [], audiences: [], clock: effects.clock }
    },
  })
  await server.start()
  await bootstrap(server.bootstrap, {
    addresses: ['192.0.2.1'],
    port: 6443,
    clientCa: rootCa,
    nowMs: effects.clock.now(),
  })
  await server.bootstrap.ensure(ownRoles())
  const handle: ApiHandler = async (request) => {
    const object = extension?.(request)
    if (object === undefined) return server.handle(request)
    return { status: 200, headers: {}, body: { type: 'object', object } }
  }
  return {
    clientAs: (user) => createClient(inProcessTransport(handle, user)),
    async close() {
      await server.close()
      await store.close()
    },
  }
}
