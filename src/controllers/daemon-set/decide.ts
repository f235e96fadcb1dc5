import { isPodAvailable, isPodReady, isPodTerminal } from '#api/core/v1/pod-facts.ts'
import { scaledValue } from '#api/meta/int-or-string.ts'
import type { DaemonSet, DaemonSetStatus } from '#api/types/apps.v1.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import { hashOf } from '../revision-history.ts'
import { nodeNameOf, placementOn } from './placement.ts'

/** What a round looks at. */
export interface DaemonView {
  readonly daemonSet: DaemonSet
  readonly nodes: readonly Node[]
  readonly pods: readonly Pod[]
  /** Hash of the present template. */
  readonly hash: string
  readonly nowMs: number
}

export interface DaemonChanges {
  /** Names of nodes that get a pod. */
  readonly create: readonly string[]
  readonly delete: readonly Pod[]
  /** Finished pods, to be deleted with a pause between tries on one node. */
  readonly finished: readonly Pod[]
}

interface Place {
  readonly name: string
  readonly shouldRun: boolean
  readonly mayStay: boolean
  readonly pods: readonly Pod[]
}

/** Which nodes get a pod, and which pods go: misplaced, finished, double, and outdated ones as the update strategy allows. */
export function decideDaemons(view: DaemonView): DaemonChanges {
  if (view.daemonSet.metadata.deletionTimestamp !== undefined) return { create: [], delete: [], finished: [] }
  const places = placesOf(view)
  const create: string[] = []
  const remove: Pod[] = []
  const finished: Pod[] = []
  for (const { name, shouldRun, mayStay, pods } of places) {
    const staying = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined)
    if (!mayStay) remove.push(...staying)
    else {
      finished.push(...staying.filter(isPodTerminal))
      remove.push(
        ...surplus(
          staying.filter((pod) => !isPodTerminal(pod)),
          view,
        ),
      )
      if (shouldRun && pods.length === 0) create.push(name)
    }
  }
  const update = decideUpdate(view, places, new Set([...remove, ...finished]))
  return { create: [...create, ...update.create], delete: [...remove, ...update.delete], finished }
}

function placesOf({ daemonSet, nodes, pods }: DaemonView): readonly Place[] {
  const podsOf = Map.groupBy(pods, nodeNameOf)
  const spec = daemonSet.spec.template.spec ?? { containers: [] }
  const known = nodes.map((node): Place => {
    const { name } = node.metadata
    return { name, ...placementOn(node, spec), pods: podsOf.get(name) ?? [] }
  })
  const names = new Set(nodes.map(({ metadata }) => metadata.name))
  // Pods meant for a node that is gone before they were placed would wait for ever.
  const lost = pods.filter((pod) => !pod.spec.nodeName && !names.has(nodeNameOf(pod) ?? ''))
  return lost.length === 0 ? known : [...known, { name: '', shouldRun: false, mayStay: false, pods: lost }]
}

/** All but one pod of each template; without surge all but the oldest one. */
function surplus(running: readonly Pod[], { daemonSet, hash }: DaemonView): readonly Pod[] {
  const byAge = running.toSorted((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1))
  if (maxSurge(daemonSet, 1) === 0) return byAge.slice(1)
  const current = byAge.filter((pod) => hashOf(pod) === hash)
  return [...current.slice(1), ...byAge.filter((pod) => hashOf(pod) !== hash).slice(1)]
}

function decideUpdate(
  view: DaemonView,
  places: readonly Place[],
  going: ReadonlySet<Pod>,
): Pick<DaemonChanges, 'create' | 'delete'> {
  const { daemonSet } = view
  if (daemonSet.spec.updateStrategy?.type === 'OnDelete') return { create: [], delete: [] }
  const running = places.filter(({ shouldRun }) => shouldRun)
  const surge = maxSurge(daemonSet, running.length)
  const left = running.map((place) => ({ ...place, pods: place.pods.filter((pod) => !going.has(pod)) }))
  return surge === 0 ? { create: [], delete: replaceInPlace(view, left) } : replaceBySurge(view, left, surge)
}

/** Outdated pods that serve nobody go at once, serving ones as long as few enough nodes are without. */
function replaceInPlace(view: DaemonView, places: readonly Place[]): readonly Pod[] {
  let budget = maxUnavailable(view.daemonSet, places.length)
  const idle: Pod[] = []
  const serving: Pod[] = []
  for (const { pods } of places) {
    const isServed = pods.some((pod) => isAvailable(view, pod))
    if (!isServed) budget--
    const outdated = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined && hashOf(pod) !== view.hash)
    ;(isServed ? serving : idle).push(...outdated)
  }
  return [...idle, ...serving.slice(0, Math.max(0, budget))]
}

/** New pods come beside the old ones; an old one goes when the new one serves. */
function replaceBySurge(
  view: DaemonView,
  places: readonly Place[],
  surge: number,
): Pick<DaemonChanges, 'create' | 'delete'> {
  const create: string[] = []
  const remove: Pod[] = []
  let budget = surge
  for (const { name, pods } of places) {
    const alive = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined)
    const current = alive.find((pod) => hashOf(pod) === view.hash)
    const outdated = alive.find((pod) => hashOf(pod) !== view.hash)
    if (outdated === undefined) continue
    if (current !== undefined) {
      budget--
      if (isAvailable(view, current)) remove.push(outdated)
    } else if (!isAvailable(view, outdated)) create.push(name)
    else if (budget > 0) {
      budget--
      create.push(name)
    }
  }
  return { create, delete: remove }
}

function isAvailable({ daemonSet, nowMs }: DaemonView, pod: Pod): boolean {
  if (pod.metadata.deletionTimestamp !== undefined || isPodTerminal(pod)) return false
  return isPodAvailable(pod, daemonSet.spec.minReadySeconds ?? 0, nowMs)
}

function maxSurge({ spec }: DaemonSet, nodes: number): number {
  return scaledValue(spec.updateStrategy?.rollingUpdate?.maxSurge ?? 0, nodes, 'up')
}

/** At least one: were it 0 without surge, no update could ever begin. */
function maxUnavailable({ spec }: DaemonSet, nodes: number): number {
  return Math.max(1, scaledValue(spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, nodes, 'up'))
}

/** The counts over all nodes. */
export function decideDaemonStatus(view: DaemonView): DaemonSetStatus {
  const { daemonSet, hash } = view
  const counts = { desired: 0, scheduled: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 }
  for (const { shouldRun, pods } of placesOf(view)) {
    const alive = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined)
    if (!shouldRun) {
      if (alive.length > 0) counts.misscheduled++
      continue
    }
    counts.desired++
    if (alive.length === 0) continue
    counts.scheduled++
    if (alive.some(isPodReady)) counts.ready++
    if (alive.some((pod) => isAvailable(view, pod))) counts.available++
    if (alive.some((pod) => hashOf(pod) === hash)) counts.updated++
  }
  const { generation } = daemonSet.metadata
  const { collisionCount, conditions } = daemonSet.status ?? {}
  return {
    currentNumberScheduled: counts.scheduled,
    numberMisscheduled: counts.misscheduled,
    desiredNumberScheduled: counts.desired,
    numberReady: counts.ready,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    updatedNumberScheduled: counts.updated,
    numberAvailable: counts.available,
    numberUnavailable: counts.desired - counts.available,
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(conditions === undefined ? {} : { conditions }),
  }
}
