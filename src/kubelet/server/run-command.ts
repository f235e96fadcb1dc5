import { mkdir } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { dirname, join } from 'node:path'
import { HttpError } from './http-error.ts'
import { writeJson } from './node-pages.ts'
import { podOf, runningContainer } from './pod-lookup.ts'
import type { RouteCall } from './route.ts'
import type { KubeletServerContext } from './server-context.ts'

/** `POST /run/<namespace>/<pod>/<container>?cmd=…`: runs a command to its end and answers what it wrote. */
export async function serveRun(
  context: KubeletServerContext,
  call: RouteCall,
  response: ServerResponse,
): Promise<void> {
  const run = runningContainer(podOf(context, call), call.parameters['container'] ?? '')
  const command = (call.query.get('cmd') ?? '').split(' ')
  const { stdout, stderr, exitCode } = await context.runtime.execSync(run.id, command, 0)
  const output = Buffer.concat([stdout, stderr])
  if (exitCode !== 0)
    throw new HttpError(500, `command '${command.join(' ')}' exited with ${exitCode}: ${output.toString('utf8')}`)
  response.writeHead(200, { 'content-type': 'application/json' }).end(output)
}

/** `POST /checkpoint/<namespace>/<pod>/<container>`: writes the container's state into a file below the kubelet's folder. */
export async function serveCheckpoint(
  context: KubeletServerContext,
  call: RouteCall,
  response: ServerResponse,
): Promise<void> {
  const { namespace = '', pod = '', container = '' } = call.parameters
  const run = runningContainer(podOf(context, call), container)
  const stamp = new Date(context.clock.now()).toISOString().replaceAll(/[:.]/g, '-')
  const location = join(context.rootDir, 'checkpoints', `checkpoint-${pod}_${namespace}-${container}-${stamp}.tar`)
  try {
    await mkdir(dirname(location), { recursive: true, mode: 0o700 })
    await context.runtime.checkpointContainer(run.id, location)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new HttpError(500, `checkpointing of ${namespace}/${pod}/${container} failed (${why})`)
  }
  writeJson(response, { items: [location] })
}
