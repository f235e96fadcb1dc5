import type { Container, Probe } from '#api/types/core.v1.ts'
import { isRuntimeError, type ContainerRuntime } from '../cri/runtime.ts'
import { grpcProbe } from './grpc-probe.ts'
import { httpProbe } from './http-probe.ts'
import { probeError, probeFailure, probeSuccess, type ProbeOutcome } from './probe-outcome.ts'
import { targetPort } from './target-port.ts'
import { tcpProbe } from './tcp-probe.ts'

export interface ProbeTarget {
  readonly container: Container
  readonly containerId: string
  readonly podIp: string
}

/** Runs a probe once. Never throws. */
export type ProbeRunner = (probe: Probe, target: ProbeTarget) => Promise<ProbeOutcome>

export function probeRunner(runtime: ContainerRuntime): ProbeRunner {
  return async (probe, target) => {
    const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000
    const { exec, httpGet, tcpSocket, grpc } = probe
    if (exec) return execProbe(runtime, target, { command: exec.command ?? [], timeoutSeconds: timeoutMs / 1000 })
    if (httpGet)
      return withPort(target, httpGet.port, (port) => httpProbe(httpGet, { podIp: target.podIp, port, timeoutMs }))
    if (tcpSocket)
      return withPort(target, tcpSocket.port, (port) => tcpProbe(tcpSocket.host || target.podIp, port, timeoutMs))
    if (grpc) return grpcProbe(grpcAddress(target.podIp, grpc.port), grpc.service ?? '', timeoutMs)
    return probeError(`missing probe handler for ${target.container.name}`)
  }
}

function grpcAddress(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
}

function withPort(
  { container }: ProbeTarget,
  name: number | string,
  run: (port: number) => Promise<ProbeOutcome>,
): Promise<ProbeOutcome> {
  const port = targetPort(container, name)
  // The words of a number that cannot be read, because that is what a name is taken for at last.
  return port === undefined ? Promise.resolve(probeError(`strconv.Atoi: parsing "${name}": invalid syntax`)) : run(port)
}

async function execProbe(
  runtime: ContainerRuntime,
  { containerId }: ProbeTarget,
  { command, timeoutSeconds }: { command: readonly string[]; timeoutSeconds: number },
): Promise<ProbeOutcome> {
  try {
    const { exitCode, stdout, stderr } = await runtime.execSync(containerId, command, timeoutSeconds)
    if (exitCode === 0) return probeSuccess
    return probeFailure(Buffer.concat([stdout, stderr]).toString('utf8').slice(0, 1024).trimEnd())
  } catch (error) {
    if (isRuntimeError(error, 'DeadlineExceeded')) {
      return probeFailure(`command timed out: "${command.join(' ')}" timed out after ${timeoutSeconds}s`)
    }
    // The command was not run: it does not exist, or its container is just ending.
    return probeError(error instanceof Error ? error.message : String(error))
  }
}
