import { connect } from 'node:net'
import { dialMessage } from '#lib/dial-error.ts'
import { probeFailure, probeSuccess, type ProbeOutcome } from './probe-outcome.ts'

/** Success is a connection that opens. */
export function tcpProbe(host: string, port: number, timeoutMs: number): Promise<ProbeOutcome> {
  const { promise, resolve } = Promise.withResolvers<ProbeOutcome>()
  const signal = AbortSignal.timeout(timeoutMs)
  const socket = connect({ host, port, signal })
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  socket.once('connect', () => {
    socket.destroy()
    resolve(probeSuccess)
  })
  socket.once('error', (error: NodeJS.ErrnoException) =>
    resolve(probeFailure(signal.aborted ? `dial tcp ${address}: i/o timeout` : dialMessage(error, { host, port }))),
  )
  return promise
}
