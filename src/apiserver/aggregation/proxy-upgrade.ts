import { STATUS_CODES, type IncomingMessage } from 'node:http'
import { StatusError } from '#api/meta/status.ts'
import { joinSockets } from '../streaming/tunnel.ts'
import type { UpgradeRequest } from '../upgrade.ts'
import type { ExtensionDialer, ExtensionTarget } from './extension-dialer.ts'
import { forwardedHeaders } from './identity-headers.ts'
import { readText } from './proxy-request.ts'

/** Hands an upgraded connection (WebSocket, SPDY) to an extension API server, byte by byte. */
export async function proxyUpgrade(
  { request, incoming, socket, head, user }: UpgradeRequest,
  target: ExtensionTarget,
  dialer: ExtensionDialer,
): Promise<void> {
  const { headers, method = 'GET', url = '/' } = incoming
  const protocol = headers.upgrade ?? ''
  const forwarded = { ...forwardedHeaders(headers, user), Connection: 'Upgrade', Upgrade: protocol }
  let answer: Awaited<ReturnType<ExtensionDialer['upgrade']>>
  try {
    answer = await dialer.upgrade(target, { method, path: url, headers: forwarded, signal: request.signal })
  } catch (error) {
    const message = `error trying to reach service: ${(error as Error).message}`
    throw new StatusError('ServiceUnavailable', message, { cause: error })
  }
  const { response, upgraded } = answer
  if (upgraded === undefined) {
    const text = await readText(response)
    socket.end(`${headOf(response)}Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`)
    return
  }
  socket.write(`${headOf(response)}\r\n`)
  if (upgraded.head.length > 0) socket.write(upgraded.head)
  if (head.length > 0) upgraded.socket.write(head)
  await joinSockets(socket, upgraded.socket)
}

const ownHeaders = new Set(['content-length', 'transfer-encoding'])

function headOf({ statusCode = 502, headers, rawHeaders }: IncomingMessage): string {
  const isUpgrade = headers.upgrade !== undefined
  let text = `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode] ?? ''}\r\n`
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    const isOwn = ownHeaders.has(name.toLowerCase()) || (!isUpgrade && name.toLowerCase() === 'connection')
    if (!isOwn) text += `${name}: ${rawHeaders[at + 1] ?? ''}\r\n`
  }
  return text
}
