import type { Clock } from '#lib/clock.ts'
import type { GrpcConnection } from '../cri/grpc-connection.ts'
import { isRuntimeError } from '../cri/runtime.ts'
import type { KubeletMetrics } from '../metrics/kubelet-metrics.ts'

/** Times a call of a method such as `/csi.v1.Node/NodePublishVolume`. */
export type CallTimer = <Result>(method: string, call: () => Promise<Result>) => Promise<Result>

/** The same connection, whose calls are timed. */
export function timedConnection(connection: GrpcConnection, timed: CallTimer): GrpcConnection {
  return {
    ...connection,
    unary: (method, request, options) =>
      timed(`/${method.parent.typeName}/${method.name}`, () => connection.unary(method, request, options)),
  }
}

/** Counts the calls of one driver by method and outcome, as `csi_operations_seconds`. */
export function csiCallTimer(
  driver: string,
  { clock, metrics }: { readonly clock: Clock; readonly metrics: KubeletMetrics },
): CallTimer {
  return async (method, call) => {
    const startedMs = clock.monotonic()
    const tell = (code: string): void => {
      const labels = { driver_name: driver, method_name: method, grpc_status_code: code, migrated: 'false' }
      metrics.csiSeconds.observe((clock.monotonic() - startedMs) / 1000, labels)
    }
    try {
      const answer = await call()
      tell('OK')
      return answer
    } catch (error) {
      tell(isRuntimeError(error) ? error.code.replace('Cancelled', 'Canceled') : 'Unknown')
      throw error
    }
  }
}
