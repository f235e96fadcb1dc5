import type { IncomingMessage, ServerResponse } from 'node:http'
import { HttpError } from './http-error.ts'
import { failResponse, isDebugging } from './kubelet-server.ts'
import { findRoute } from './routes.ts'
import type { KubeletServerContext } from './server-context.ts'

/** What everybody may read who reaches `readOnlyPort`. */
const openPaths: ReadonlySet<string> = new Set([
  ...['/healthz', '/pods', '/stats/summary'],
  ...['/metrics', '/metrics/cadvisor', '/metrics/probes', '/metrics/resource'],
])

/** Answers somebody whom nobody has asked who they are. */
export async function answerOpenly(
  context: KubeletServerContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const stop = new AbortController()
  response.once('close', () => stop.abort())
  try {
    const url = new URL(request.url ?? '/', 'http://kubelet')
    const found = findRoute(url.pathname)
    if (found !== undefined && isDebugging(found.route.path)) throw new HttpError(405, 'Debug endpoints are disabled.')
    if (found?.route.respond === undefined || !openPaths.has(found.route.path))
      throw new HttpError(404, '404 page not found')
    await found.route.respond(context, { ...found, query: url.searchParams, signal: stop.signal }, response)
  } catch (error) {
    failResponse(context, response, error)
  }
}
