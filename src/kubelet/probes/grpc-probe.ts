import { systemClock } from '#lib/clock.ts'
import { probeFailure, probeSuccess, type ProbeOutcome } from './probe-outcome.ts'

const serving = 1
const statusNames = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']

/** Asks `grpc.health.v1.Health/Check` without TLS (API reference, GRPCAction). */
export async function grpcProbe(address: string, service: string, timeoutMs: number): Promise<ProbeOutcome> {
  const { default: grpc } = await import('@grpc/grpc-js')
  const client = new grpc.Client(address, grpc.credentials.createInsecure())
  const { promise, resolve } = Promise.withResolvers<ProbeOutcome>()
  const deadline = systemClock.now() + timeoutMs
  client.makeUnaryRequest(
    '/grpc.health.v1.Health/Check',
    encodeHealthRequest,
    decodeHealthStatus,
    service,
    new grpc.Metadata(),
    { deadline },
    (error, status = 0) => {
      if (error) resolve(probeFailure(grpcFailure(error, { address, timeoutMs })))
      else if (status === serving) resolve(probeSuccess)
      else resolve(probeFailure(`service unhealthy (responded with "${statusNames[status] ?? status}")`))
    },
  )
  try {
    return await promise
  } finally {
    client.close()
  }
}

const unimplemented = 12
const deadlineExceeded = 4
const unavailable = 14

function grpcFailure(
  error: { readonly code: number; readonly details: string },
  where: { address: string; timeoutMs: number },
): string {
  switch (error.code) {
    case unimplemented:
      return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${error.details}`
    case deadlineExceeded:
      return `timeout: health rpc did not complete within ${where.timeoutMs / 1000}s`
    case unavailable:
      return `timeout: failed to connect service "${where.address}" within ${where.timeoutMs / 1000}s: ${error.details}`
    default:
      return `error: health rpc probe failed: ${error.details}`
  }
}

/** `HealthCheckRequest { string service = 1 }`. */
function encodeHealthRequest(service: string): Buffer {
  const name = Buffer.from(service, 'utf8')
  return name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name])
}

function varint(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]
}

/** `HealthCheckResponse { ServingStatus status = 1 }`. */
function decodeHealthStatus(bytes: Buffer): number {
  return bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0
}
