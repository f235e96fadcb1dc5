import type { RequestInfo } from '../../request-info.ts'
import type { ServedResource } from '../../registry/served-resource.ts'
import {
  approvalPart,
  ephemeralContainersPart,
  finalizePart,
  resizePart,
  statusPart,
} from '../../registry/update-parts.ts'
import type { UpdatePart } from '../../registry/update-object.ts'
import { get } from '../get.ts'
import { patchPart } from '../patch.ts'
import { updatePart } from '../update.ts'
import type { VerbHandler } from '../verb-handler.ts'
import { createBinding } from './binding.ts'
import { evict } from './eviction.ts'
import { getScale, patchScale, updateScale } from './scale.ts'
import { connect, log, proxy } from './node-connection.ts'
import { createToken } from './token.ts'

type Handlers = Readonly<Record<string, VerbHandler>>

function partHandlers(part: UpdatePart): Handlers {
  return { get, update: (context) => updatePart(context, part), patch: (context) => patchPart(context, part) }
}

/** What each subresource does, by its name; names mean the same for every kind that has them. */
const subresources: Readonly<Record<string, Handlers>> = {
  status: partHandlers(statusPart),
  approval: partHandlers(approvalPart),
  finalize: partHandlers(finalizePart),
  ephemeralcontainers: partHandlers(ephemeralContainersPart),
  resize: partHandlers(resizePart),
  scale: { get: getScale, update: updateScale, patch: patchScale },
  binding: { create: createBinding },
  eviction: { create: evict },
  token: { create: createToken },
  log: { get: log },
  exec: { get: connect, create: connect },
  attach: { get: connect, create: connect },
  portforward: { get: connect, create: connect },
  proxy: { get: proxy, create: proxy, update: proxy, patch: proxy, delete: proxy, options: proxy },
}

/** The handler of a verb on a subresource, or undefined if it does not take the verb. */
export function subresourceHandler(resource: ServedResource, info: RequestInfo): VerbHandler | undefined {
  const listed = resource.subresources.get(info.subresource)?.verbs
  // Discovery has no verb for the OPTIONS that what is behind a proxy may answer.
  const isProxied = info.subresource === 'proxy' && info.verb === 'options'
  if (listed === undefined || !(listed.has(info.verb) || isProxied)) return undefined
  return subresources[info.subresource]?.[info.verb]
}
