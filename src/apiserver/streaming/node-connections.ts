import type { ApiResponse } from '#api/meta/exchange.ts'
import { badRequest } from '#api/meta/status.ts'
import type { Log } from '#lib/log.ts'
import type { Random } from '#lib/random.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import type { UpgradeHandler } from '../upgrade.ts'
import { proxyHttp } from './http-proxy.ts'
import type { KubeletDialer } from './kubelet-dialer.ts'
import { logWebSocket } from './log-websocket.ts'
import { podLog, type NodeRequest } from './pod-log.ts'
import { proxyUpgrade } from './proxy-upgrade.ts'
import { streamTarget, streamUpgradeHandler } from './stream-upgrade.ts'

export interface NodeConnectionsOptions {
  readonly reader: ObjectReader
  readonly dialer: KubeletDialer
  readonly authorizers: readonly Authorizer[]
  readonly random: Random
  readonly log: Log
  /** Default: neither loopback nor link-local addresses are proxied to. */
  readonly isProxyable?: (address: string) => boolean
}

/** The subresources whose answers lie on nodes. All reject with `StatusError`. */
export interface NodeConnections {
  /** GET `pods/log`. */
  log(context: NodeRequest): Promise<ApiResponse>
  /** `pods/exec`, `pods/attach`, `pods/portforward` asked for without an upgrade: always an error, in upstream's order. */
  notUpgraded(context: NodeRequest): Promise<ApiResponse>
  /** Any method on `pods/proxy`, `services/proxy`, `nodes/proxy`. */
  proxy(context: NodeRequest): Promise<ApiResponse>
  /** Takes over upgraded connections. */
  readonly upgrade: UpgradeHandler
  /** Drops kept connections to nodes; streams under way go on. */
  close(): void
}

export function createNodeConnections(options: NodeConnectionsOptions): NodeConnections {
  const { reader, dialer } = options
  const stream = streamUpgradeHandler(options)
  return {
    log: (context) => podLog(context, reader, dialer),
    async notUpgraded(context) {
      streamTarget(context, reader)
      throw badRequest('Upgrade request required')
    },
    proxy: (context) => proxyHttp(context, options, dialer),
    upgrade(upgrade) {
      const { subresource } = upgrade.info
      if (subresource === 'log') return logWebSocket(upgrade, reader, dialer)
      return subresource === 'proxy' ? proxyUpgrade(upgrade, options, dialer) : stream(upgrade)
    },
    close: () => dialer.close(),
  }
}
