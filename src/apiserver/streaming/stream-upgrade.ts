import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import { badRequest, StatusError } from '#api/meta/status.ts'
import type { Log } from '#lib/log.ts'
import { authorizeByAll } from '../authz/authorizers.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import type { UpgradeHandler, UpgradeRequest } from '../upgrade.ts'
import { commandProtocols, forwardProtocols } from './channel-codec.ts'
import type { KubeletAddress, KubeletDialer, KubeletUpgrade } from './kubelet-dialer.ts'
import { chooseContainer, findPod, kubeletOf } from './pod-location.ts'
import { translateRemoteCommand } from './remote-command.ts'
import { kubeletQuery, parseStreamOptions } from './stream-options.ts'
import { forwardChannels, parseForwardedPorts } from './port-forward-channels.ts'
import { joinSockets, tunnel } from './tunnel.ts'
import { acceptWebSocket, chooseProtocol } from './websocket-accept.ts'

export interface StreamUpgradeOptions {
  readonly reader: ObjectReader
  readonly dialer: KubeletDialer
  readonly authorizers: readonly Authorizer[]
  readonly log: Log
}

/** SPDY frames inside a WebSocket: what kubectl's port-forward speaks; older clients use channels. */
const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io'
const spdyCommandProtocol = 'v4.channel.k8s.io'
const spdyForwardProtocol = 'portforward.k8s.io'

/** Where an upgraded connection leads. */
export interface StreamTarget {
  readonly address: KubeletAddress
  /** On the kubelet, with query. */
  readonly path: string
}

/** Serves exec, attach and port-forward to clients that speak WebSocket or SPDY; towards kubelets it is always SPDY. */
export function streamUpgradeHandler(options: StreamUpgradeOptions): UpgradeHandler {
  return async (upgrade) => {
    requireCreate(upgrade, options.authorizers)
    const target = streamTarget(upgrade, options.reader)
    const wanted = upgrade.incoming.headers.upgrade?.toLowerCase()
    if (wanted === 'spdy/3.1') return proxySpdy(upgrade, target, options)
    if (wanted !== 'websocket') throw badRequest('unable to upgrade: only WebSocket and SPDY/3.1 are supported')
    if (upgrade.info.subresource === 'portforward') return forwardPorts(upgrade, target, options)
    return translate(upgrade, target, options)
  }
}

/** Running something in a pod takes the right to create, also for WebSocket clients, whose request is a GET. */
function requireCreate({ info, user }: UpgradeRequest, authorizers: readonly Authorizer[]): void {
  if (info.verb === 'create') return
  const { decision, reason } = authorizeByAll(authorizers, { ...info, user, verb: 'create' })
  if (decision === 'allow') return
  const what = `cannot create resource "pods/${info.subresource}" in API group "" in the namespace "${info.namespace}"`
  const why = `User ${JSON.stringify(user.name)} ${what}${reason && `: ${reason}`}`
  const details = { name: info.name, kind: 'pods' }
  throw new StatusError('Forbidden', `pods ${JSON.stringify(info.name)} is forbidden: ${why}`, { details })
}

/** Finds pod, container and kubelet. Throws NotFound and BadRequest in upstream's words and order. */
export function streamTarget(
  { info, request }: Pick<UpgradeRequest, 'info' | 'request'>,
  reader: ObjectReader,
): StreamTarget {
  if (info.group !== '' || info.resource !== 'pods') throw badRequest('unable to upgrade this resource')
  const pod = findPod(reader, info.namespace, info.name)
  const place = `${encodeURIComponent(info.namespace)}/${encodeURIComponent(info.name)}`
  if (info.subresource === 'portforward') {
    const ports = new URLSearchParams(request.query.getAll('ports').map((port) => ['port', port]))
    return { address: kubeletOf(reader, pod), path: `/portForward/${place}${ports.size > 0 ? `?${ports}` : ''}` }
  }
  if (info.subresource !== 'exec' && info.subresource !== 'attach') throw badRequest('unable to upgrade this resource')
  const container = chooseContainer(pod, request.query.get('container') ?? '')
  const address = kubeletOf(reader, pod)
  const command = info.subresource === 'exec' ? request.query.getAll('command') : []
  const query = kubeletQuery(parseStreamOptions(request.query), command)
  return { address, path: `/${info.subresource}/${place}/${encodeURIComponent(container)}?${query}` }
}

function dial(
  { address, path }: StreamTarget,
  protocols: readonly string[],
  upgrade: UpgradeRequest,
  dialer: KubeletDialer,
): Promise<KubeletUpgrade> {
  const headers = { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': [...protocols] }
  return dialer.upgrade(address, { method: 'POST', path, headers, signal: upgrade.request.signal })
}

/** Accepts the client; where that fails, the kubelet's side is not left open. */
async function acceptFor({ socket }: KubeletUpgrade, upgrade: UpgradeRequest, protocol: string): Promise<WebSocket> {
  try {
    return await acceptWebSocket(upgrade, protocol)
  } catch (error) {
    socket.destroy()
    throw error
  }
}

async function translate(
  upgrade: UpgradeRequest,
  target: StreamTarget,
  { dialer, log }: StreamUpgradeOptions,
): Promise<void> {
  const name = chooseProtocol(upgrade.incoming, Object.keys(commandProtocols))
  const protocol = commandProtocols[name]
  if (protocol === undefined) throw badRequest(`unknown protocol ${JSON.stringify(name)}`)
  const kubelet = await dial(target, [spdyCommandProtocol], upgrade, dialer)
  const websocket = await acceptFor(kubelet, upgrade, name)
  const options = parseStreamOptions(upgrade.request.query)
  await translateRemoteCommand({ websocket, protocol, kubelet, options, log })
}

async function forwardPorts(
  upgrade: UpgradeRequest,
  target: StreamTarget,
  { dialer, log }: StreamUpgradeOptions,
): Promise<void> {
  const protocol = chooseProtocol(upgrade.incoming, [tunnelProtocol, ...Object.keys(forwardProtocols)])
  const codec = forwardProtocols[protocol]
  const ports = codec && parseForwardedPorts(upgrade.request.query)
  const kubelet = await dial(target, [spdyForwardProtocol], upgrade, dialer)
  const websocket = await acceptFor(kubelet, upgrade, protocol)
  if (codec === undefined || ports === undefined) return tunnel(websocket, kubelet.socket, kubelet.head)
  await forwardChannels({ websocket, codec, kubelet, ports, log })
}

/** Hands a SPDY client through to the kubelet, byte for byte. */
async function proxySpdy(
  upgrade: UpgradeRequest,
  target: StreamTarget,
  { dialer }: StreamUpgradeOptions,
): Promise<void> {
  const kubelet = await dial(target, repeatedHeader(upgrade.incoming, 'x-stream-protocol-version'), upgrade, dialer)
  const { socket, head } = upgrade
  const chosen = kubelet.response.headers['x-stream-protocol-version']
  const answer = [
    'HTTP/1.1 101 Switching Protocols',
    'Connection: Upgrade',
    'Upgrade: SPDY/3.1',
    ...(typeof chosen === 'string' ? [`X-Stream-Protocol-Version: ${chosen}`] : []),
  ]
  socket.write(`${answer.join('\r\n')}\r\n\r\n`)
  if (kubelet.head.length > 0) socket.write(kubelet.head)
  if (head.length > 0) kubelet.socket.write(head)
  await joinSockets(socket, kubelet.socket)
}

/** Every value of a header that came in several lines; Node joins them, Go keeps them apart. */
function repeatedHeader({ rawHeaders }: IncomingMessage, name: string): readonly string[] {
  const values: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.toLowerCase() !== name) continue
    values.push(...rawHeaders[index + 1]!.split(',').map((value) => value.trim()))
  }
  return values
}
