import { tooManyRequests } from '../encoding/responses.ts'
import type { RequestContext } from '../request-context.ts'
import type { Step } from './step.ts'

/** Lets the request go on when its priority level has room for it; refuses it with 429 where too many wait already. */
export const throttle: Step = {
  name: 'throttle',
  run(context) {
    const { info, user, request, server } = context
    if (isLongRunning(context)) return undefined
    const width = (): number => seatsFor(context)
    const admitted = server.flowControl.admit({ info, user, width, signal: request.signal })
    if (!(admitted instanceof Promise)) {
      context.admission = admitted
      return admitted === undefined ? tooManyRequests() : undefined
    }
    return admitted.then((late) => {
      context.admission = late
      return late === undefined ? tooManyRequests() : undefined
    })
  },
}

const longSubresources: ReadonlySet<string> = new Set(['attach', 'exec', 'proxy', 'log', 'portforward'])

/** Watches and streams would hold their seats for hours. */
function isLongRunning({ info }: RequestContext): boolean {
  return info.verb === 'watch' || (info.subresource !== '' && longSubresources.has(info.subresource))
}

const objectsPerSeat = 100
const seatsMax = 10

/** A list takes a seat for each hundred objects it may have to go through (documentation, "API Priority and Fairness"). */
function seatsFor({ info, server, request }: RequestContext): number {
  if (info.verb !== 'list') return 1
  const resource = server.resources.find(info.group, info.version, info.resource)
  if (resource === undefined) return 1
  const stored = server.caches.of(resource.storage.prefix).size
  const limit = Number(request.query.get('limit') ?? 0)
  const read = limit > 0 ? Math.min(limit, stored) : stored
  return Math.min(Math.max(Math.ceil(read / objectsPerSeat), 1), seatsMax)
}
