import { connect } from 'node:net'
import { dialFailure } from './http-probe.ts'
import { probeFailure, probeSuccess, type ProbeOutcome } from './probe-outcome.ts'

/** Success is a connection that opens. */
export function tcpProbe(host: string, port: number, timeoutMs: number): Promise<ProbeOutcome> {
  const { promise, resolve } = Promise.withResolvers<ProbeOutcome>()
  const socket = connect({ host, port, signal: AbortSignal.timeout(timeoutMs) })
  socket.once('connect', () => {
    socket.destroy()
    resolve(probeSuccess)
  })
  socket.once('error', (error: NodeJS.ErrnoException) => {
    const isTimeout = error.name === 'AbortError' || error.code === 'ABORT_ERR'
    resolve(probeFailure(isTimeout ? `dial tcp ${host}:${port}: i/o timeout` : dialFailure(error, `${host}:${port}`)))
  })
  return promise
}
