import { containerStatus, isSidecar } from '#api/core/v1/pod-facts.ts'
import type { Container, Pod } from '#api/types/core.v1.ts'
import type { ContainerStatus } from '../cri/container.ts'
import type { SandboxStatus } from '../cri/sandbox.ts'
import type { ProbeResults } from '../probes/probe-results.ts'
import { containerHash, hashAnnotation } from './container-hash.ts'
import { outdatedRemains } from './outdated-remains.ts'
import type { KillCause, PodAction, PodPlan, PodSituation } from './pod-plan.ts'
import { currentSandbox, isRunning, latestContainer, type PodView } from './pod-view.ts'
import { nextBackoff, restartNotBefore } from './restart-backoff.ts'
import { podRestartOf, podRestarts } from './restart-all.ts'
import { shouldRestart, shouldRestartInit } from './restart-policy.ts'

/**
 * Compares what a pod asks for with what runs and says what to do next. The order is that of the pod lifecycle: a live
 * sandbox, init containers one after the other, sidecars once they are started, then all main containers.
 */
export function decidePod(situation: PodSituation): PodPlan {
  const { pod, view } = situation
  const sandbox = currentSandbox(view)
  if (sandbox === undefined || !isUsable(pod, sandbox)) return planNewSandbox(situation, sandbox)
  const restarts = podRestarts(pod.spec, view)
  const outlived = view.containers.filter((run) => isRunning(run) && podRestartOf(run) < restarts)
  if (outlived.length > 0) return planKillOfAll(situation, outlived)
  // What ran before everything was told to start over counts for nothing but its number and its delay.
  const counted = { ...view, containers: view.containers.filter((run) => podRestartOf(run) >= restarts) }
  return planInSandbox({ ...situation, view: counted }, view, sandbox.id)
}

function planKillOfAll(situation: PodSituation, outlived: readonly ContainerStatus[]): PodPlan {
  const draft = new PlanDraft(situation, situation.view, undefined)
  for (const run of outlived) draft.kill(run, undefined, 'restartAll')
  return draft.finish(draft.actions)
}

function planInSandbox(situation: PodSituation, history: PodView, sandboxId: string): PodPlan {
  const { pod } = situation
  const draft = new PlanDraft(situation, history, sandboxId)
  const init = planInitContainers(draft)
  if (init === 'failed') return draft.finish([{ type: 'stopPod' }])
  planEphemeralContainers(draft)
  if (init === 'done') {
    for (const container of pod.spec.containers) planMainContainer(draft, container)
    if (isFinished(situation, sandboxId)) return draft.finish([{ type: 'stopPod' }])
  }
  return draft.plan()
}

function isUsable(pod: Pod, sandbox: SandboxStatus): boolean {
  if (!sandbox.ready) return false
  const wantsHostNetwork = pod.spec.hostNetwork === true
  return sandbox.hostNetwork === wantsHostNetwork && (wantsHostNetwork || sandbox.ips.length > 0)
}

function planNewSandbox(situation: PodSituation, old: SandboxStatus | undefined): PodPlan {
  const { pod, view } = situation
  const draft = new PlanDraft(situation, view, undefined)
  if (old !== undefined) {
    if (hasNothingLeftToRun(situation)) return draft.finish([{ type: 'stopPod' }])
    for (const container of view.containers.filter(isRunning)) draft.kill(container, undefined, 'sandbox')
    draft.actions.push({ type: 'stopSandbox', sandbox: old })
  }
  draft.actions.push({ type: 'createSandbox', attempt: old === undefined ? 0 : old.metadata.attempt + 1 })
  const [firstInit] = pod.spec.initContainers ?? []
  const starting = firstInit === undefined ? pod.spec.containers : [firstInit]
  for (const container of starting) if (wantsToRun(situation, container)) draft.start(container)
  return draft.plan()
}

/** In a new sandbox everything starts over, except main containers that have ended for good. */
function wantsToRun({ pod, view }: PodSituation, container: Container): boolean {
  if (pod.spec.initContainers?.includes(container)) return true
  const latest = latestContainer(view, container.name)
  return latest?.state !== 'exited' || shouldRestart(pod.spec, container, latest.exitCode)
}

/** The sandbox is gone, and no container would be restarted in a new one. */
function hasNothingLeftToRun(situation: PodSituation): boolean {
  const { pod, view } = situation
  if (view.containers.length === 0) return false
  const failedInit = (pod.spec.initContainers ?? []).some((container) => {
    const latest = latestContainer(view, container.name)
    if (latest?.state !== 'exited' || isSidecar(container) || latest.exitCode === 0) return false
    return !shouldRestartInit(pod.spec, container, latest.exitCode)
  })
  return failedInit || pod.spec.containers.every((container) => !wantsToRun(situation, container))
}

/** Every main container of the sandbox has ended and none is to run again. */
function isFinished({ pod, view }: PodSituation, sandboxId: string): boolean {
  return pod.spec.containers.every((container) => {
    const latest = latestContainer(view, container.name, sandboxId) ?? latestContainer(view, container.name)
    return latest?.state === 'exited' && !shouldRestart(pod.spec, container, latest.exitCode)
  })
}

function planInitContainers(draft: PlanDraft): 'done' | 'waiting' | 'failed' {
  const { pod, view } = draft.situation
  const hasMain = pod.spec.containers.some(({ name }) => latestContainer(view, name, draft.sandboxId) !== undefined)
  for (const container of pod.spec.initContainers ?? []) {
    const outcome = isSidecar(container) ? planSidecar(draft, container) : planInitContainer(draft, container, hasMain)
    if (outcome === 'failed') return 'failed'
    if (outcome === 'waiting' && !hasMain) return 'waiting'
  }
  return 'done'
}

function planInitContainer(draft: PlanDraft, container: Container, hasMain: boolean): 'done' | 'waiting' | 'failed' {
  const latest = latestContainer(draft.situation.view, container.name, draft.sandboxId)
  if (hasMain) return 'done'
  if (isRunning(latest)) return 'waiting'
  if (latest?.state === 'exited') {
    if (latest.exitCode === 0) return 'done'
    if (!shouldRestartInit(draft.situation.pod.spec, container, latest.exitCode)) return 'failed'
  }
  draft.start(container)
  return 'waiting'
}

function planSidecar(draft: PlanDraft, container: Container): 'done' | 'waiting' {
  const latest = latestContainer(draft.situation.view, container.name, draft.sandboxId)
  if (isRunning(latest) && latest) {
    if (planKillOfRunning(draft, container, latest)) return 'waiting'
    return draft.situation.probes.isStarted(container, latest.id) ? 'done' : 'waiting'
  }
  draft.start(container)
  return 'waiting'
}

function planMainContainer(draft: PlanDraft, container: Container): void {
  const latest = latestContainer(draft.situation.view, container.name, draft.sandboxId)
  if (latest && isRunning(latest)) {
    planKillOfRunning(draft, container, latest)
    return
  }
  const previous = latest ?? latestContainer(draft.situation.view, container.name)
  if (previous?.state === 'exited' && !shouldRestart(draft.situation.pod.spec, container, previous.exitCode)) return
  draft.start(container)
}

function planEphemeralContainers(draft: PlanDraft): void {
  for (const container of draft.situation.pod.spec.ephemeralContainers ?? []) {
    if (latestContainer(draft.situation.view, container.name) === undefined) draft.start(container)
  }
}

/** What a container that is told to end is taken to end with. */
const killedExitCode = 137

/** Whether a running container has to go, to be replaced at once: its probe failed, or its definition is another now. */
function planKillOfRunning(draft: PlanDraft, spec: Container, running: ContainerStatus): boolean {
  const cause = causeOfKill(draft.situation.probes, spec, running)
  if (cause === undefined) return false
  draft.kill(running, spec, cause)
  // A new definition is run whatever the restart policy says, for the old one has not ended by itself.
  if (cause === 'definition' || shouldRestart(draft.situation.pod.spec, spec, killedExitCode)) draft.start(spec)
  return true
}

function causeOfKill(probes: ProbeResults, spec: Container, running: ContainerStatus): KillCause | undefined {
  if (probes.hasFailed('startup', running.id)) return 'startup'
  if (probes.hasFailed('liveness', running.id)) return 'liveness'
  const hash = running.annotations[hashAnnotation]
  return hash !== undefined && hash !== containerHash(spec) ? 'definition' : undefined
}

function killMessage(cause: KillCause, name: string): string {
  switch (cause) {
    case 'liveness':
      return `Container ${name} failed liveness probe, will be restarted`
    case 'startup':
      return `Container ${name} failed startup probe, will be restarted`
    case 'definition':
      return `Container ${name} definition changed, will be restarted`
    case 'resize':
      return `Container ${name} resize requires restart`
    case 'restartAll':
      return `Container ${name} is stopped because all containers of the pod are restarted`
    case 'sandbox':
      return 'Pod sandbox changed, it will be killed and re-created.'
  }
}

/** A runtime that has lost what it knew, in a restart of the machine for example, does not take the count of runs along. */
function forgottenRuns(pod: Pod, { name }: Container): number {
  const known = containerStatus(pod, name)
  return known?.containerID === undefined ? 0 : known.restartCount + 1
}

class PlanDraft {
  readonly situation: PodSituation
  /** Everything that ever ran, of which the situation's view may be a part. */
  readonly history: PodView
  readonly sandboxId: string | undefined
  readonly actions: PodAction[] = []
  readonly #backingOff = new Map<string, number>()
  #wakeAtMs = Infinity

  constructor(situation: PodSituation, history: PodView, sandboxId: string | undefined) {
    this.situation = situation
    this.history = history
    this.sandboxId = sandboxId
  }

  kill(container: ContainerStatus, spec: Container | undefined, cause: KillCause): void {
    const message = killMessage(cause, container.name)
    this.actions.push({ type: 'killContainer', container, message, cause, ...(spec && { spec }) })
  }

  /** Starts the container, now or when its delays are over. The last run that has ended says since when they count. */
  start(spec: Container): void {
    const { backoffs, holds, nowMs, restartDelays } = this.situation
    const last = latestContainer(this.history, spec.name)
    const holdMs = holds.get(spec.name)
    if (holdMs !== undefined && holdMs > nowMs) return this.#wakeAt(holdMs)
    const attempt = last === undefined ? forgottenRuns(this.situation.pod, spec) : last.attempt + 1
    const podRestart = this.sandboxId === undefined ? 0 : podRestarts(this.situation.pod.spec, this.history)
    const previous = this.history.containers.find((run) => run.name === spec.name && !isRunning(run))
    if (previous === undefined) return void this.actions.push({ type: 'startContainer', spec, attempt, podRestart })
    const finishedAtMs = previous.finishedAtMs || previous.createdAtMs
    const entry = backoffs.get(spec.name)
    const notBeforeMs = restartNotBefore(entry, { finishedAtMs, nowMs }, restartDelays)
    if (notBeforeMs !== undefined && entry) {
      this.#backingOff.set(spec.name, entry.delayMs)
      return this.#wakeAt(notBeforeMs)
    }
    const backoff = nextBackoff(entry, { finishedAtMs, nowMs }, restartDelays)
    this.actions.push({ type: 'startContainer', spec, attempt, podRestart, backoff })
  }

  plan(): PodPlan {
    return this.finish([...this.actions, ...outdatedRemains(this.history)])
  }

  finish(actions: readonly PodAction[]): PodPlan {
    const wake = Number.isFinite(this.#wakeAtMs) ? { wakeAtMs: this.#wakeAtMs } : {}
    return { actions, backingOff: this.#backingOff, ...wake }
  }

  #wakeAt(timeMs: number): void {
    this.#wakeAtMs = Math.min(this.#wakeAtMs, timeMs)
  }
}
