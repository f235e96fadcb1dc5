import type { Log } from '#lib/log.ts'
import type { Random } from '#lib/random.ts'
import { choose, findNodes, refusalOf, type Choice, type CycleOptions, type Decision } from './cycle.ts'
import type { Extender, Snapshot } from './framework.ts'
import type { PodInfo } from './pod-info.ts'
import { rejectionBeside } from './filters.ts'

interface Attempt extends CycleOptions {
  readonly snapshot: Snapshot
  readonly random: Random
  readonly log: Log
}

/**
 * Decides as `decide` does, with a say of the extenders: they filter after the plugins and add to their scores. Rejects
 * where one cannot be asked that must be. `undefined`: the cluster changed meanwhile and the pod must be tried anew.
 */
export async function decideWithExtenders(pod: PodInfo, attempt: Attempt): Promise<Decision | undefined> {
  const { snapshot, random, log } = attempt
  const { rankings: _, ...options } = attempt
  const found = findNodes(pod, snapshot, options)
  if (found.type !== 'choose') return found
  const asked = attempt.profile.extenders.filter((extender) => extender.isInterestedIn(pod.pod))
  const left = await askToFilter(found, asked, log)
  if (left.feasible.length === 0) return refusalOf(found.prepared, left.rejected.list(), snapshot)
  const extra = left.feasible.length > 1 ? await askToPrioritize(left, asked, log) : undefined
  const known = { ...left, feasible: left.feasible.filter((node) => snapshot.node(node.name) === node) }
  if (known.feasible.length === 0) return undefined
  const placement = choose(known, snapshot, random, extra)
  // Time has passed since the filters ran.
  return rejectionBeside(found.prepared, placement.node, snapshot) ? undefined : placement
}

async function askToFilter(found: Choice, extenders: readonly Extender[], log: Log): Promise<Choice> {
  let { feasible } = found
  const { rejected } = found
  for (const { filter, isIgnorable, name } of extenders) {
    if (!filter || feasible.length === 0) continue
    try {
      const answer = await filter(found.prepared.pod, feasible)
      feasible = answer.feasible
      for (const { node, rejection } of answer.rejected) rejected.add(node, rejection)
    } catch (error) {
      if (!isIgnorable) throw error
      log.warn('An extender could not be asked and is passed over', { extender: name, error })
    }
  }
  return { ...found, feasible }
}

/** A failure to prioritize only costs the extender its say. */
async function askToPrioritize({ prepared, feasible }: Choice, extenders: readonly Extender[], log: Log) {
  const sums = new Map<string, number>()
  const answers = extenders.map(async ({ prioritize, name }) => {
    try {
      for (const [node, score] of (await prioritize?.(prepared.pod, feasible)) ?? []) {
        sums.set(node, (sums.get(node) ?? 0) + score)
      }
    } catch (error) {
      log.warn('An extender could not prioritize nodes', { extender: name, error })
    }
  })
  await Promise.all(answers)
  return sums
}
