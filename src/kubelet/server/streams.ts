import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { HttpError } from './http-error.ts'
import type { KubeletServerContext } from './server-context.ts'
import { podOf, runningContainer, sandboxIdOf } from './pod-lookup.ts'
import type { RouteCall, UpgradeRequest } from './route.ts'

/** `/exec/<namespace>/<pod>/<container>?command=…&input=1&output=1&error=1&tty=1` */
export async function streamExec(
  context: KubeletServerContext,
  call: RouteCall,
  upgrade: UpgradeRequest,
): Promise<void> {
  const run = runningContainer(podOf(context, call), call.parameters['container'] ?? '')
  const command = call.query.getAll('command')
  if (command.length === 0) throw new HttpError(400, 'you must specify at least 1 command')
  const url = await context.runtime.exec(run.id, { command, ...wantedStreams(call.query) })
  await relay(url, upgrade)
}

/** `/attach/<namespace>/<pod>/<container>?input=1&output=1&error=1&tty=1` */
export async function streamAttach(
  context: KubeletServerContext,
  call: RouteCall,
  upgrade: UpgradeRequest,
): Promise<void> {
  const run = runningContainer(podOf(context, call), call.parameters['container'] ?? '')
  await relay(await context.runtime.attach(run.id, wantedStreams(call.query)), upgrade)
}

/** `/portForward/<namespace>/<pod>`; SPDY names the port with each stream, WebSocket in the query. */
export async function streamPortForward(
  context: KubeletServerContext,
  call: RouteCall,
  upgrade: UpgradeRequest,
): Promise<void> {
  const sandboxId = sandboxIdOf(podOf(context, call))
  const ports = [...call.query.getAll('port'), ...call.query.getAll('ports')]
    .flatMap((text) => text.split(','))
    .map(Number)
  if (ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535))
    throw new HttpError(400, 'invalid port')
  await relay(await context.runtime.portForward(sandboxId, ports), upgrade)
}

function wantedStreams(query: URLSearchParams): { tty: boolean; stdin: boolean; stdout: boolean; stderr: boolean } {
  const isSet = (...names: readonly string[]): boolean =>
    names.some((name) => ['1', 'true'].includes(query.get(name) ?? ''))
  const tty = isSet('tty')
  const streams = {
    tty,
    stdin: isSet('input', 'stdin'),
    stdout: isSet('output', 'stdout'),
    stderr: !tty && isSet('error', 'stderr'),
  }
  if (!streams.stdin && !streams.stdout && !streams.stderr) {
    throw new HttpError(400, 'you must specify at least 1 of stdin, stdout, stderr')
  }
  return streams
}

/**
 * Repeats the upgrade request to the runtime's streaming server and joins both connections: what either side says
 * after that, its answer to the upgrade included, goes to the other byte by byte.
 */
async function relay(url: string, { request, socket, head }: UpgradeRequest): Promise<void> {
  const target = new URL(url)
  const runtime = connect({ host: target.hostname, port: Number(target.port || 80), allowHalfOpen: true })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  runtime.once('connect', resolve)
  runtime.once('error', (error) => reject(new HttpError(502, `the runtime's streaming server: ${error.message}`)))
  await promise
  runtime.on('error', () => socket.end())
  runtime.setNoDelay(true)
  runtime.write(upgradeHead(request, target))
  if (head.length > 0) runtime.write(head)
  socket.on('close', () => runtime.destroy())
  // Not destroyed: what the runtime said last, the command's status above all, is still on its way through here.
  runtime.on('close', () => socket.end())
  socket.pipe(runtime)
  runtime.pipe(socket)
}

function upgradeHead(request: IncomingMessage, target: URL): string {
  const lines = [`${request.method ?? 'POST'} ${target.pathname}${target.search} HTTP/1.1`, `Host: ${target.host}`]
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] as string
    const isOwn = ['host', 'authorization', 'cookie'].includes(name.toLowerCase())
    if (!isOwn) lines.push(`${name}: ${request.rawHeaders[index + 1] ?? ''}`)
  }
  return `${lines.join('\r\n')}\r\n\r\n`
}
