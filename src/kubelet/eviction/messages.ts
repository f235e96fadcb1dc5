import { quantityOf } from '#api/meta/quantity.ts'
import { resourceAmount } from '#api/core/v1/resource-amounts.ts'
import type { Container } from '#api/types/core.v1.ts'
import { signalFacts, type Amount } from './signals.ts'
import { thresholdAmount, type EvictionThreshold } from './thresholds.ts'

export interface ContainerUse {
  readonly container: Container
  readonly memoryBytes: number
  readonly diskBytes: number
}

/** What an evicted pod's status says, in upstream's words: what ran out, and which of its containers took too much. */
export function evictionMessage(
  threshold: EvictionThreshold,
  reading: Amount,
  containers: readonly ContainerUse[],
): string {
  const { resource } = signalFacts[threshold.signal]
  const limit = formatAmount(resource, thresholdAmount(threshold, reading))
  const head = `The node was low on resource: ${resource}. Threshold quantity: ${limit}, available: ${formatAmount(resource, reading.available)}. `
  return head + containers.map((use) => containerPart(resource, use)).join('')
}

function containerPart(resource: string, { container, memoryBytes, diskBytes }: ContainerUse): string {
  if (resource !== 'memory' && resource !== 'ephemeral-storage') return ''
  const used = resource === 'memory' ? memoryBytes : diskBytes
  const request = container.resources?.requests?.[resource] ?? '0'
  if (used <= resourceAmount(resource, request)) return ''
  return `Container ${container.name} was using ${formatAmount(resource, used)}, request is ${request}, has larger consumption of ${resource}. `
}

/** Bytes in Ki, as the kubelet's own figures are written; other things are counted. */
function formatAmount(resource: string, amount: number): string {
  if (resource !== 'memory' && resource !== 'ephemeral-storage') return String(Math.floor(amount))
  return quantityOf(Math.floor(amount / 1024) * 1024, 'BinarySI')
}

export function emptyDirMessage(volume: string, limit: string): string {
  return `Usage of EmptyDir volume "${volume}" exceeds the limit "${limit}". `
}

export function containerStorageMessage(container: string, limit: string): string {
  return `Container ${container} exceeded its local ephemeral storage limit "${limit}". `
}

export function podStorageMessage(limitBytes: number): string {
  return `Pod ephemeral local storage usage exceeds the total limit of containers ${quantityOf(limitBytes, 'BinarySI')}. `
}
