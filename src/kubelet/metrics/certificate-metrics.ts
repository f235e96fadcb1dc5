import { X509Certificate } from 'node:crypto'
import type { MetricFamily } from '#lib/metrics/metric.ts'

/** How long the certificate of the kubelet's server is still good; `pem`: as it is in use now, if there is one. */
export function certificateMetrics(pem: string | undefined, nowMs: number): readonly MetricFamily[] {
  const leftMs = pem === undefined ? Infinity : Date.parse(new X509Certificate(pem).validTo) - nowMs
  return [
    {
      name: 'kubelet_certificate_manager_server_ttl_seconds',
      help: "Gauge of the shortest TTL (time-to-live) of the Kubelet's serving certificate. The value is in seconds until certificate expiry (negative if already expired). If serving certificate is invalid or unused, the value will be +INF.",
      type: 'gauge',
      samples: [{ labels: {}, value: leftMs / 1000 }],
    },
  ]
}
