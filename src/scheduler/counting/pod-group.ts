import type { Labels } from '#api/meta/labels.ts'
import type { PodInfo } from '../pod-info.ts'
import type { DomainCounts } from './domain-counts.ts'

/** Pods of one namespace with the same labels: a rule about other pods chooses all of them or none. */
export class PodGroup {
  readonly namespace: string
  readonly labels: Labels | undefined
  readonly isTerminating: boolean
  /** How many are on each node, by slot. */
  readonly bySlot = new Map<number, number>()
  /** The counts that these pods belong to. */
  counts: DomainCounts[] = []

  constructor({ namespace, pod }: PodInfo) {
    this.namespace = namespace
    this.labels = pod.metadata.labels
    this.isTerminating = pod.metadata.deletionTimestamp !== undefined
  }

  change(slot: number, change: 1 | -1): void {
    const left = (this.bySlot.get(slot) ?? 0) + change
    if (left > 0) this.bySlot.set(slot, left)
    else this.bySlot.delete(slot)
    for (const counts of this.counts) counts.add(slot, change)
  }
}
