import { isStatusError } from '#api/meta/status.ts'
import type { RawRequest, RequestObserver, Transport } from './client.ts'

/** The same transport, whose requests are told of when they are answered; a watch when it has begun. */
export function observedTransport(transport: Transport, observe: RequestObserver): Transport {
  return {
    async request(request) {
      const begin = observe(request.method)
      try {
        const answer = await transport.request(request)
        // What the server said exactly is not known here: it was a success.
        begin(request.method === 'POST' ? 201 : 200)
        return answer
      } catch (error) {
        begin(codeOf(error))
        throw error
      }
    },
    watch: (request) => observedWatch(transport, request, observe),
    as: (user) => observedTransport(transport.as(user), observe),
  }
}

async function* observedWatch(
  transport: Transport,
  request: RawRequest,
  observe: RequestObserver,
): ReturnType<Transport['watch']> {
  let end: ((code: number | undefined) => void) | undefined = observe(request.method)
  const tell = (code: number | undefined): void => {
    end?.(code)
    end = undefined
  }
  try {
    for await (const event of transport.watch(request)) {
      tell(200)
      yield event
    }
    tell(200)
  } catch (error) {
    tell(codeOf(error))
    throw error
  }
}

function codeOf(error: unknown): number | undefined {
  return isStatusError(error) ? error.code : undefined
}
