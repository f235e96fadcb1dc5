import type { NamespaceLabels, PodChoice } from '../affinity-terms.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'
import { DomainCounts } from './domain-counts.ts'
import { HeldTerms, type HeldTerm } from './held-terms.ts'
import { PodGroup } from './pod-group.ts'
import { allNodes, Topology, type NodeScope } from './topology.ts'

/** Which pods to count where. */
export interface CountQuestion {
  readonly pods: PodChoice
  readonly topologyKey: string
  /** Default: all nodes. */
  readonly scope?: NodeScope
  /** Pods that are being deleted count as gone. */
  readonly withoutTerminating?: boolean
}

/** Questions kept answered; beyond that the one asked least recently is forgotten and counted anew when asked again. */
const maxQuestions = 500

interface Answer {
  readonly question: CountQuestion
  readonly counts: DomainCounts
}

/**
 * How many pods that a rule chooses are in each domain of a topology: counted once when a rule first asks, then kept
 * true by every pod and node that comes or goes. A pod costs as much as there are rules that choose it.
 *
 *     pod web-1 on n1 → its group (namespace, labels) → the counts that chose the group → +1 in n1's domain of each
 */
export class PodCounting {
  readonly labelsOf: NamespaceLabels
  readonly #groups = new Map<string, PodGroup>()
  readonly #nodes = new Map<number, NodeInfo>()
  readonly #topologies = new Map<string, Topology>()
  readonly #answers = new Map<string, Answer>()
  readonly #held: HeldTerms

  constructor(labelsOf: NamespaceLabels) {
    this.labelsOf = labelsOf
    this.#held = new HeldTerms(labelsOf, (key) => this.#topology(key, allNodes))
  }

  /** Live counts: they follow every later change as long as they are asked for now and then. */
  count(question: CountQuestion): DomainCounts {
    const { pods, topologyKey, scope = allNodes, withoutTerminating = false } = question
    const key = `${topologyKey}\n${scope.key}\n${withoutTerminating ? '-' : '+'}\n${pods.key}`
    const known = this.#answers.get(key)
    if (known) {
      this.#answers.delete(key)
      this.#answers.set(key, known)
      return known.counts
    }
    const answer = { question, counts: new DomainCounts(this.#topology(topologyKey, scope)) }
    this.#answers.set(key, answer)
    for (const group of this.#groups.values()) this.#introduce(group, answer)
    if (this.#answers.size > maxQuestions) this.#forgetOldest()
    return answer.counts
  }

  /** The affinity terms of placed pods that choose this pod. */
  termsTowards(pod: PodInfo): readonly HeldTerm[] {
    return this.#held.towards(pod)
  }

  addPod(info: PodInfo, { slot }: NodeInfo): void {
    this.#groupOf(info).change(slot, 1)
    if (info.terms) this.#held.change(info.terms, slot, 1)
  }

  removePod(info: PodInfo, { slot }: NodeInfo): void {
    const group = this.#groupOf(info)
    group.change(slot, -1)
    if (group.bySlot.size === 0) this.#groups.delete(info.groupKey)
    if (info.terms) this.#held.change(info.terms, slot, -1)
  }

  /** To be called after pods have really gone, and not only for the sake of a question. */
  dropIdle(): void {
    this.#held.dropIdle()
  }

  /** A node came or has other labels or taints; its pods must not be counted while this is called. */
  setNode(node: NodeInfo): void {
    this.#nodes.set(node.slot, node)
    for (const topology of this.#topologies.values()) topology.set(node)
    this.#topologiesChanged()
  }

  removeNode({ slot }: NodeInfo): void {
    this.#nodes.delete(slot)
    for (const topology of this.#topologies.values()) topology.unset(slot)
    this.#topologiesChanged()
  }

  /** The labels of a namespace changed: what depends on them is counted anew when it is next asked for. */
  namespaceChanged(): void {
    for (const [key, { question, counts }] of this.#answers) {
      if (question.pods.readsNamespaceLabels) this.#forget(key, counts)
    }
    this.#held.namespaceChanged()
  }

  #groupOf(info: PodInfo): PodGroup {
    const known = this.#groups.get(info.groupKey)
    if (known) return known
    const group = new PodGroup(info)
    this.#groups.set(info.groupKey, group)
    for (const answer of this.#answers.values()) this.#introduce(group, answer)
    return group
  }

  #introduce(group: PodGroup, { question, counts }: Answer): void {
    if (question.withoutTerminating && group.isTerminating) return
    if (!question.pods.matches(group.namespace, group.labels, this.labelsOf)) return
    group.counts.push(counts)
    for (const [slot, count] of group.bySlot) counts.add(slot, count)
  }

  #topology(label: string, scope: NodeScope): Topology {
    const key = `${label}\n${scope.key}`
    const known = this.#topologies.get(key)
    if (known) return known
    const topology = new Topology(label, scope)
    for (const node of this.#nodes.values()) topology.set(node)
    this.#topologies.set(key, topology)
    return topology
  }

  #topologiesChanged(): void {
    for (const { counts } of this.#answers.values()) counts.topologyChanged()
  }

  #forgetOldest(): void {
    for (const [key, { counts }] of this.#answers) return this.#forget(key, counts)
  }

  #forget(key: string, counts: DomainCounts): void {
    this.#answers.delete(key)
    for (const group of this.#groups.values()) group.counts = group.counts.filter((other) => other !== counts)
    const { topology } = counts
    const isUsed =
      this.#held.uses(topology) || [...this.#answers.values()].some((answer) => answer.counts.topology === topology)
    if (!isUsed) this.#topologies.delete(`${topology.label}\n${topology.scope.key}`)
  }
}
