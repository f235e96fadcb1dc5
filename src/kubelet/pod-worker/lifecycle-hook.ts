import type { Container, HTTPGetAction, LifecycleHandler, Pod } from '#api/types/core.v1.ts'
import { httpGet, HttpGetError } from '../probes/http-get.ts'
import { targetPort } from '../probes/target-port.ts'
import { containerEvents } from './container-events.ts'
import type { WorkerContext } from './worker-context.ts'

export interface HookInput {
  readonly pod: Pod
  readonly container: Container
  readonly containerId: string
  readonly podIp: string
  /** How long a command of a hook may run; 0: for ever. */
  readonly timeoutSeconds: number
  /** Nobody waits for the hook any more. */
  readonly signal: AbortSignal
}

/** Runs a postStart or preStop hook to its end. Throws with what went wrong, as the container's status says it. */
export async function runHook(context: WorkerContext, handler: LifecycleHandler, input: HookInput): Promise<void> {
  const { exec, httpGet: action, sleep } = handler
  const { container, pod } = input
  const podText = `${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid})`
  const subject = `for Container "${container.name}" in Pod "${podText}" failed - error:`
  // A TCP hook is accepted for compatibility and does nothing (API reference, LifecycleHandler).
  if (exec) return runCommandHook(context, exec.command ?? [], input, subject)
  if (sleep) return context.clock.sleep(sleep.seconds * 1000, input.signal)
  if (!action) return
  try {
    await runHttpHook(context, action, input)
  } catch (error) {
    throw new Error(`HTTP lifecycle hook (${action.path ?? ''}) ${subject} ${(error as Error).message}`, {
      cause: error,
    })
  }
}

async function runCommandHook(
  { runtime }: WorkerContext,
  command: readonly string[],
  { containerId, timeoutSeconds }: HookInput,
  subject: string,
): Promise<void> {
  const failure = (error: string, output: string): Error =>
    new Error(`Exec lifecycle hook ([${command.join(' ')}]) ${subject} ${error}, message: ${JSON.stringify(output)}`)
  const { exitCode, stdout, stderr } = await runtime
    .execSync(containerId, command, timeoutSeconds)
    .catch((error: Error) => {
      throw failure(error.message, '')
    })
  if (exitCode === 0) return
  const output = Buffer.concat([stdout, stderr]).toString('utf8').slice(0, 1024)
  throw failure(`command '${command.join(' ')}' exited with ${exitCode}: ${output}`, output)
}

/** Any answer will do, whatever its status: the server has been told. */
async function runHttpHook(
  { events }: WorkerContext,
  action: HTTPGetAction,
  { pod, container, podIp, signal }: HookInput,
): Promise<void> {
  const port = targetPort(container, action.port)
  if (port === undefined) throw new Error(`strconv.Atoi: parsing "${action.port}": invalid syntax`)
  const options = { podIp, port, agent: 'lifecycle', signal } as const
  try {
    await httpGet(action, options)
  } catch (error) {
    if (!(error instanceof HttpGetError)) throw error
    if (error.isBodyError) return
    if (!error.isPlainText) throw error
    const { httpHeaders = [] } = action
    // The credentials were meant for a server with TLS.
    const open = httpHeaders.filter(({ name }) => name.toLowerCase() !== 'authorization')
    await httpGet({ ...action, scheme: 'HTTP', httpHeaders: open }, options)
    const text = `request to HTTPS lifecycle hook ${action.host || podIp}:${port} got HTTP response, retry with HTTP succeeded`
    containerEvents(events, pod, container.name)('Warning', 'LifecycleHTTPFallback', text)
  }
}
