import type { ApiRequest, ApiResponse } from '#api/meta/exchange.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import type { RequestInfo } from '../request-info.ts'
import { errorOf, type KubeletDialer } from './kubelet-dialer.ts'
import { parseLogOptions } from './log-options.ts'
import { chooseContainer, findPod, kubeletOf } from './pod-location.ts'

/** A request for something that lies on a node. */
export interface NodeRequest {
  readonly info: RequestInfo
  readonly request: ApiRequest
}

/** GET `pods/NAME/log`: the kubelet's text as it comes; nothing (204) while no node has the pod. */
export async function podLog(
  { info, request }: NodeRequest,
  reader: ObjectReader,
  dialer: KubeletDialer,
): Promise<ApiResponse> {
  const options = parseLogOptions(request.query, info.name)
  const pod = findPod(reader, info.namespace, info.name)
  const container = chooseContainer(pod, options.container)
  if (!pod.spec?.nodeName) return { status: 204, headers: {}, body: { type: 'none' } }
  const segments = [info.namespace, info.name, container].map(encodeURIComponent).join('/')
  const path = `/containerLogs/${segments}${options.query.size > 0 ? `?${options.query}` : ''}`
  const response = await dialer.request(kubeletOf(reader, pod), { method: 'GET', path, signal: request.signal })
  const code = response.statusCode ?? 500
  if (code < 200 || code > 206) throw await errorOf(response)
  return { status: 200, headers: { 'content-type': 'text/plain' }, body: { type: 'stream', chunks: response } }
}
