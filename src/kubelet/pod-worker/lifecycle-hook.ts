import type { Container, LifecycleHandler, Pod } from '#api/types/core.v1.ts'
import { httpProbe } from '../probes/http-probe.ts'
import { targetPort } from '../probes/target-port.ts'
import type { WorkerContext } from './worker-context.ts'

export interface HookInput {
  readonly pod: Pod
  readonly container: Container
  readonly containerId: string
  readonly podIp: string
  readonly timeoutSeconds: number
  readonly signal?: AbortSignal
}

/** Runs a postStart or preStop hook to its end. Throws with what went wrong. */
export async function runHook(context: WorkerContext, handler: LifecycleHandler, input: HookInput): Promise<void> {
  const { exec, httpGet, sleep, tcpSocket } = handler
  if (exec) {
    const { exitCode, stdout, stderr } = await context.runtime.execSync(
      input.containerId,
      exec.command ?? [],
      input.timeoutSeconds,
    )
    if (exitCode === 0) return
    const output = Buffer.concat([stdout, stderr]).toString('utf8').slice(0, 1024)
    throw new Error(`command '${(exec.command ?? []).join(' ')}' exited with ${exitCode}: ${output}`)
  }
  if (sleep)
    return context.clock.sleep(Math.min(sleep.seconds, input.timeoutSeconds || sleep.seconds) * 1000, input.signal)
  if (httpGet) {
    const port = targetPort(input.container, httpGet.port)
    if (port === undefined) throw new Error(`container has no port named ${httpGet.port}`)
    const result = await httpProbe(httpGet, {
      podIp: input.podIp,
      port,
      timeoutMs: (input.timeoutSeconds || 30) * 1000,
    })
    if (!result.ok) throw new Error(result.message)
    return
  }
  // A TCP hook is accepted for compatibility and does nothing (API reference, LifecycleHandler).
  if (tcpSocket) return
}
