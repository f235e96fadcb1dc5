import { connect, type Socket } from 'node:net'
import type { Clock } from '../clock.ts'
import { decodeMessage, encodeMessage, type DbusMessage } from './message.ts'
import type { DbusValue } from './value.ts'

/** What somebody on the bus answered instead of a result. */
class DbusError extends Error {
  /** Such as `org.freedesktop.DBus.Error.ServiceUnknown`. */
  readonly errorName: string
  constructor(errorName: string, message: string) {
    super(message === '' ? errorName : message)
    this.name = 'DbusError'
    this.errorName = errorName
  }
}

export interface DbusCall {
  readonly destination: string
  readonly path: string
  readonly interface: string
  readonly member: string
  readonly signature?: string
  readonly values?: readonly DbusValue[]
}

/** A call or a signal for us, and the serial number that an answer to it must name. */
export interface DbusArrival {
  readonly message: DbusMessage
  readonly serial: number
}

/** A member of a bus. */
export interface DbusConnection {
  /** The answer's values. Rejects with `DbusError`, and when nothing comes in time or the connection ends. */
  call(call: DbusCall): Promise<readonly DbusValue[]>
  send(message: DbusMessage): void
  /** Calls with each message that is no answer to a call. The returned function ends that. */
  listen(onArrival: (arrival: DbusArrival) => void): () => void
  /** Resolves when the connection has ended, by `close` or from the other side. */
  readonly closed: Promise<void>
  close(): void
}

const bus = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' }
const callTimeoutMs = 10_000
/** Nobody asks for more at a time. */
const mostCalls = 100

/** Asks the bus for the signals that the rule matches. */
export async function addMatch(connection: DbusConnection, rule: string): Promise<void> {
  await connection.call({ ...bus, member: 'AddMatch', signature: 's', values: [rule] })
}

/** Connects to the bus at an address such as `unix:path=/run/dbus/system_bus_socket`, as the user of this process. */
export async function connectDbus(address: string, clock: Clock): Promise<DbusConnection> {
  const socket = connect(socketPath(address))
  // Being told of the machine's end does not keep a process alive.
  socket.unref()
  try {
    await within(clock, authenticated(socket), 'the bus does not answer')
    const connection = new BusConnection(socket, clock)
    await connection.call({ ...bus, member: 'Hello' })
    return connection
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** The first address of the list that a socket can have. Values may hold bytes written as `%41`. */
function socketPath(address: string): string {
  for (const each of address.split(';')) {
    const [, key, value] = /^unix:(?:.*,)?(path|abstract)=([^,]+)/.exec(each) ?? []
    if (value !== undefined) return (key === 'abstract' ? '\0' : '') + decodeURIComponent(value)
  }
  throw new Error(`no address of a socket: ${address}`)
}

const longestGreeting = 4096

/** The bus takes the user from the socket; what is said here only names the way. */
async function authenticated(socket: Socket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let text = ''
  const onData = (chunk: Buffer): void => {
    text += chunk.toString('latin1')
    if (/^OK [^\r]*\r\n$/.test(text)) resolve()
    else if (text.includes('\r\n') || text.length > longestGreeting)
      reject(new Error('the bus does not believe who we are'))
  }
  socket.on('data', onData)
  socket.once('error', reject)
  socket.once('close', () => reject(new Error('the bus has closed the connection')))
  const user = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex')
  socket.write(`\0AUTH EXTERNAL ${user}\r\n`)
  await promise
  socket.off('data', onData)
  socket.write('BEGIN\r\n')
}

async function within<Result>(clock: Clock, result: Promise<Result>, complaint: string): Promise<Result> {
  const stop = new AbortController()
  const late = clock.sleep(callTimeoutMs, stop.signal).then(() => Promise.reject(new Error(complaint)))
  try {
    return await Promise.race([result, late])
  } finally {
    stop.abort()
    late.catch(() => undefined)
  }
}

class BusConnection implements DbusConnection {
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #calls = new Map<number, PromiseWithResolvers<readonly DbusValue[]>>()
  readonly #listeners = new Set<(arrival: DbusArrival) => void>()
  #serial = 0
  #pending: Buffer = Buffer.alloc(0)

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
    const { promise, resolve } = Promise.withResolvers<void>()
    this.closed = promise
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    // What goes wrong ends the connection: `close` follows.
    socket.on('error', () => undefined)
    socket.once('close', () => {
      for (const call of this.#calls.values()) call.reject(new Error('the connection to the bus has ended'))
      this.#calls.clear()
      resolve()
    })
  }

  async call(call: DbusCall): Promise<readonly DbusValue[]> {
    if (this.#socket.destroyed) throw new Error('the connection to the bus has ended')
    if (this.#calls.size >= mostCalls) throw new Error('too many calls to the bus at once')
    const answer = Promise.withResolvers<readonly DbusValue[]>()
    const serial = this.#write({ type: 'call', ...call })
    this.#calls.set(serial, answer)
    try {
      return await within(this.#clock, answer.promise, `no answer to ${call.interface}.${call.member}`)
    } finally {
      this.#calls.delete(serial)
    }
  }

  send(message: DbusMessage): void {
    this.#write(message)
  }

  listen(onArrival: (arrival: DbusArrival) => void): () => void {
    this.#listeners.add(onArrival)
    return () => void this.#listeners.delete(onArrival)
  }

  close(): void {
    this.#socket.destroy()
  }

  #write(message: DbusMessage): number {
    const serial = ++this.#serial
    this.#socket.write(encodeMessage(message, serial))
    return serial
  }

  #take(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk])
    try {
      for (let next = decodeMessage(this.#pending); next; next = decodeMessage(this.#pending)) {
        this.#pending = this.#pending.subarray(next.length)
        this.#dispatch(next)
      }
    } catch {
      // After something unreadable it is not known where the next message begins.
      this.#socket.destroy()
    }
  }

  #dispatch({ message, serial }: DbusArrival): void {
    const { type, replySerial = 0, errorName = '', values = [] } = message
    if (type === 'return') this.#calls.get(replySerial)?.resolve(values)
    else if (type === 'error')
      this.#calls.get(replySerial)?.reject(new DbusError(errorName, typeof values[0] === 'string' ? values[0] : ''))
    else for (const listener of this.#listeners) listener({ message, serial })
  }
}
