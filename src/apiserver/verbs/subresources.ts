import type { RequestInfo } from '../request-info.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import { statusPart } from '../registry/update-parts.ts'
import { get } from './get.ts'
import { updatePart } from './update.ts'
import type { VerbHandler } from './verb-handler.ts'

type Handlers = Readonly<Record<string, VerbHandler>>

/** Subresources that are the same for every kind that has them. */
const ofAnyKind: Readonly<Record<string, Handlers>> = {
  status: { get, update: (context) => updatePart(context, statusPart) },
}

/** The handler of a verb on a subresource, or undefined if it does not take the verb. */
export function subresourceHandlers(_resource: ServedResource, info: RequestInfo): VerbHandler | undefined {
  return ofAnyKind[info.subresource]?.[info.verb]
}
