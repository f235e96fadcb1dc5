import { StatusError } from '#api/meta/status.ts'
import { admitConnection } from '../../registry/admit-connection.ts'
import type { ResourceContext } from '../../request-context.ts'
import type { NodeConnections } from '../../streaming/node-connections.ts'
import type { VerbHandler } from '../verb-handler.ts'

/** GET `pods/NAME/log`. */
export const log: VerbHandler = (context) => connectionsOf(context).log(context)

/** `pods/NAME/exec`, `attach` and `portforward` that came without an upgrade. */
export const connect: VerbHandler = async (context) => {
  await admitConnection(context)
  return connectionsOf(context).notUpgraded(context)
}

/** `NAME/proxy/…` of pods, services and nodes. */
export const proxy: VerbHandler = async (context) => {
  await admitConnection(context)
  return connectionsOf(context).proxy(context)
}

function connectionsOf({ server }: ResourceContext): NodeConnections {
  if (server.connections !== undefined) return server.connections
  throw new StatusError('ServiceUnavailable', 'this server reaches no nodes')
}
