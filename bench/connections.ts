/**
 * HTTPS as cheap as Node can send it, so that on two cores the load does not take what the server is measured by: each
 * connection writes one request and reads one answer at a time, and looks at nothing but its status and its end.
 */
import { connect, type TLSSocket } from 'node:tls'

export interface Target {
  readonly host: string
  readonly port: number
  readonly ca: Buffer | string | undefined
  readonly cert: Buffer | string | undefined
  readonly key: Buffer | string | undefined
}

export interface Call {
  readonly method: string
  readonly path: string
  readonly body?: object
  readonly type?: string
}

export interface Connection {
  /** Resolves to the number of bytes of the answer; rejects when its status is 400 or more. */
  send(call: Call): Promise<number>
  close(): void
}

const lengthField = /\r\ncontent-length: (\d+)/i
const lastChunk = Buffer.from('0\r\n\r\n')

/** How many bytes the answer that begins here has, or undefined when its end has not come yet. */
function answerLength(bytes: Buffer): number | undefined {
  const head = bytes.indexOf('\r\n\r\n')
  if (head === -1) return undefined
  const body = head + 4
  const length = lengthField.exec(bytes.toString('latin1', 0, body))?.[1]
  if (length !== undefined) return bytes.length >= body + Number(length) ? body + Number(length) : undefined
  return bytes.subarray(-lastChunk.length).equals(lastChunk) ? bytes.length : undefined
}

function requestText(host: string, { method, path, body, type = 'application/json' }: Call): string {
  if (body === undefined) return `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`
  const text = JSON.stringify(body)
  const length = Buffer.byteLength(text)
  return `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n${text}`
}

/** Opens one connection; the promise resolves once its handshake is done. */
export async function openConnection(target: Target): Promise<Connection> {
  const socket = connect({ ...target, servername: '' })
  const opened = Promise.withResolvers<void>()
  socket.once('secureConnect', opened.resolve).once('error', opened.reject)
  await opened.promise
  return overSocket(socket, target.host)
}

function overSocket(socket: TLSSocket, host: string): Connection {
  let waiting: PromiseWithResolvers<number> | undefined
  let label = ''
  let received: Buffer = Buffer.alloc(0)
  const fail = (error: Error): void => waiting?.reject(error)
  socket.on('error', fail).on('close', () => fail(new Error(`${label}: the connection was closed`)))
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const length = answerLength(received)
    if (length === undefined) return
    const status = Number(received.toString('latin1', 9, 12))
    received = received.subarray(length)
    if (status < 400) waiting?.resolve(length)
    else fail(new Error(`${label}: ${status}`))
  })
  return {
    send: (call) => {
      waiting = Promise.withResolvers<number>()
      label = `${call.method} ${call.path}`
      socket.write(requestText(host, call))
      return waiting.promise
    },
    close: () => socket.destroy(),
  }
}
