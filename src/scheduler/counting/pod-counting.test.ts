import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matcherOf } from '#api/meta/labels.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import { seededRandom, type Random } from '#lib/random.ts'
import type { PodChoice } from '../affinity-terms.ts'
import { PodInfo } from '../pod-info.ts'
import { trialCache, trialNode, trialPod } from '../plugins/plugin-trial.case.ts'
import type { CountQuestion } from './pod-counting.ts'

const apps = ['x', 'y', 'z']

function choice(app: string): PodChoice {
  const matcher = matcherOf({ matchLabels: { app } })
  return { key: app, readsNamespaceLabels: false, matches: (_namespace, labels) => matcher.matches(labels) }
}

const onFast = { key: 'fast', includes: ({ metadata }: Node) => metadata.labels?.['disk'] === 'fast' }
const questions: readonly CountQuestion[] = apps.flatMap((app) => [
  { pods: choice(app), topologyKey: 'zone' },
  { pods: choice(app), topologyKey: 'kubernetes.io/hostname', withoutTerminating: true },
  { pods: choice(app), topologyKey: 'zone', scope: onFast },
])

/** What the cluster is, without any cleverness. */
interface Model {
  readonly nodes: Map<string, Node>
  readonly pods: Map<string, { readonly pod: Pod; readonly node: string }>
}

function pick<T>(random: Random, all: readonly T[]): T {
  return all[Math.floor(random.next() * all.length)] as T
}

function randomNode(random: Random): Node {
  const zone = pick(random, ['a', 'b', 'c', undefined])
  const disk = pick(random, ['fast', 'slow'])
  return trialNode(`n${Math.floor(random.next() * 8)}`, { ...(zone && { zone }), disk })
}

function randomPod(random: Random): Pod {
  const name = `p${Math.floor(random.next() * 20)}`
  const term = { topologyKey: 'zone', labelSelector: { matchLabels: { app: pick(random, apps) } } }
  const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }
  const isGoing = random.next() < 0.2
  const metadata = { labels: { app: pick(random, apps) }, ...(isGoing && { deletionTimestamp: 'now' }) }
  return trialPod(name, random.next() < 0.5 ? { affinity } : {}, metadata)
}

function expected({ nodes, pods }: Model, { pods: chosen, topologyKey, scope, withoutTerminating }: CountQuestion) {
  const domains = new Map<string, number>()
  const valueOf = (node: Node): string | undefined =>
    scope && !scope.includes(node) ? undefined : node.metadata.labels?.[topologyKey]
  for (const node of nodes.values()) {
    const value = valueOf(node)
    if (value !== undefined) domains.set(value, 0)
  }
  for (const { pod, node } of pods.values()) {
    const known = nodes.get(node)
    const value = known && valueOf(known)
    if (value === undefined || !chosen.matches('default', pod.metadata.labels, () => undefined)) continue
    if (withoutTerminating && pod.metadata.deletionTimestamp !== undefined) continue
    domains.set(value, (domains.get(value) ?? 0) + 1)
  }
  return { domains, valueOf }
}

test('counts stay true through any changes of nodes and pods', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed)
    const cache = trialCache([])
    const model: Model = { nodes: new Map(), pods: new Map() }
    const steps = [
      () => {
        const node = randomNode(random)
        cache.setNode(node)
        model.nodes.set(node.metadata.name, node)
      },
      () => {
        const name = `n${Math.floor(random.next() * 8)}`
        cache.removeNode(name)
        model.nodes.delete(name)
      },
      () => {
        const pod = randomPod(random)
        const node = `n${Math.floor(random.next() * 8)}`
        cache.placePod(pod, node)
        model.pods.set(pod.metadata.uid, { pod, node })
      },
      () => {
        const uid = `p${Math.floor(random.next() * 20)}`
        cache.removePod(uid)
        model.pods.delete(uid)
      },
      () => {
        const node = pick(random, cache.nodes)
        const [first] = node?.pods.values() ?? []
        if (!first) return
        cache.supposing(node, (trial) => {
          trial.remove(first)
          trial.add(new PodInfo(trialPod('guest', {}, { labels: { app: 'x' } })))
        })
      },
    ]
    for (let step = 0; step < 200; step++) {
      pick(random, steps)()
      compare(cache, model, pick(random, questions), `seed ${seed}, step ${step}`)
      compareTerms(cache, model, `seed ${seed}, step ${step}`)
    }
  }
})

function compare(cache: ReturnType<typeof trialCache>, model: Model, question: CountQuestion, where: string): void {
  const counts = cache.counting.count(question)
  const { domains, valueOf } = expected(model, question)
  const values = [...domains.values()]
  assert.equal(counts.domains, values.length, where)
  assert.equal(counts.lowest, values.length === 0 ? 0 : Math.min(...values), where)
  assert.equal(
    counts.total,
    values.reduce((sum, each) => sum + each, 0),
    where,
  )
  for (const { node, slot } of cache.nodes) assert.equal(counts.at(slot), domains.get(valueOf(node) ?? '') ?? 0, where)
}

/** The terms of placed pods that choose a newcomer, by zone. */
function compareTerms(cache: ReturnType<typeof trialCache>, { nodes, pods }: Model, where: string): void {
  const newcomer = new PodInfo(trialPod('newcomer', {}, { labels: { app: 'x' } }))
  const held = cache.counting.termsTowards(newcomer)
  for (const { node, slot } of cache.nodes) {
    const zone = node.metadata.labels?.['zone']
    const holders = [...pods.values()].filter(({ pod, node: place }) => {
      const terms = pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
      const isNear = zone !== undefined && nodes.get(place)?.metadata.labels?.['zone'] === zone
      return isNear && terms.some(({ labelSelector }) => labelSelector?.matchLabels?.['app'] === 'x')
    })
    const found = held.reduce((sum, { counts }) => sum + counts.at(slot), 0)
    assert.equal(found, holders.length, where)
  }
}
