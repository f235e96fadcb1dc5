import type { ServerResponse } from 'node:http'
import type { KubeletServerContext } from './server-context.ts'
import type { RouteCall } from './route.ts'

/** `GET /healthz` */
export function serveHealth(_context: KubeletServerContext, _call: RouteCall, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('ok')
}

/** `GET /pods`: the pods of this node with the statuses that the kubelet knows. */
export function servePods({ workers }: KubeletServerContext, _call: RouteCall, response: ServerResponse): void {
  const items = workers.list().map(({ pod, status }) => ({ ...pod, ...(status && { status }) }))
  writeJson(response, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items })
}

export function writeJson(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
