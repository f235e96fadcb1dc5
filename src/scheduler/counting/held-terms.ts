import { LruMap } from '#lib/lru-map.ts'
import type { AffinityTerm, NamespaceLabels, PodAffinityTerms } from '../affinity-terms.ts'
import type { PodInfo } from '../pod-info.ts'
import { DomainCounts } from './domain-counts.ts'
import type { Topology } from './topology.ts'

export type HeldTermKind = keyof PodAffinityTerms

/** An affinity term that placed pods have, and how many pods that have it are in each domain. */
export interface HeldTerm {
  readonly kind: HeldTermKind
  readonly term: AffinityTerm
  readonly counts: DomainCounts
  /** Pods that have it, wherever they are. */
  holders: number
}

const kinds: readonly HeldTermKind[] = ['required', 'requiredAnti', 'preferred', 'preferredAnti']
const maxRemembered = 1_000

/** The affinity terms of all placed pods, equal ones together: what existing pods want of a newcomer. */
export class HeldTerms {
  readonly #labelsOf: NamespaceLabels
  readonly #topology: (label: string) => Topology
  readonly #terms = new Map<string, HeldTerm>()
  readonly #idle = new Set<string>()
  /** Which terms choose the pods of a group, until a term comes or goes. */
  #remembered = new LruMap<string, readonly HeldTerm[]>(maxRemembered)

  constructor(labelsOf: NamespaceLabels, topology: (label: string) => Topology) {
    this.#labelsOf = labelsOf
    this.#topology = topology
  }

  change(terms: PodAffinityTerms, slot: number, change: 1 | -1): void {
    for (const kind of kinds) for (const term of terms[kind]) this.#changeTerm(kind, term, slot, change)
  }

  towards({ groupKey, namespace, pod }: PodInfo): readonly HeldTerm[] {
    if (this.#terms.size === 0) return none
    const known = this.#remembered.get(groupKey)
    if (known) return known
    const { labels } = pod.metadata
    const found = [...this.#terms.values()].filter(({ term }) => term.matches(namespace, labels, this.#labelsOf))
    this.#remembered.set(groupKey, found)
    return found
  }

  /** Forgets the terms that nobody has any more. Counts handed out for them are no longer live. */
  dropIdle(): void {
    if (this.#idle.size === 0) return
    for (const key of this.#idle) this.#terms.delete(key)
    this.#idle.clear()
    this.namespaceChanged()
  }

  uses(topology: Topology): boolean {
    for (const { counts } of this.#terms.values()) if (counts.topology === topology) return true
    return false
  }

  namespaceChanged(): void {
    this.#remembered = new LruMap(maxRemembered)
  }

  #changeTerm(kind: HeldTermKind, term: AffinityTerm, slot: number, change: 1 | -1): void {
    const key = `${kind}\n${term.weight}\n${term.key}`
    const held = this.#terms.get(key) ?? this.#begin(key, kind, term)
    held.counts.add(slot, change)
    held.holders += change
    if (held.holders === 0) this.#idle.add(key)
    else this.#idle.delete(key)
  }

  #begin(key: string, kind: HeldTermKind, term: AffinityTerm): HeldTerm {
    const held = { kind, term, counts: new DomainCounts(this.#topology(term.topologyKey)), holders: 0 }
    this.#terms.set(key, held)
    this.namespaceChanged()
    return held
  }
}

const none: readonly HeldTerm[] = Object.freeze([])
