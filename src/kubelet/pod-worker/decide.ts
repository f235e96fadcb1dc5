import { isSidecar } from '#api/core/v1/pod-facts.ts'
import type { Container, Pod } from '#api/types/core.v1.ts'
import type { ContainerStatus } from '../cri/container.ts'
import type { SandboxStatus } from '../cri/sandbox.ts'
import type { ProbeResults } from '../probes/probe-results.ts'
import { containerHash, hashAnnotation } from './container-hash.ts'
import { outdatedRemains } from './outdated-remains.ts'
import type { KillCause, PodAction, PodPlan, PodSituation } from './pod-plan.ts'
import { currentSandbox, isRunning, latestContainer } from './pod-view.ts'
import { nextBackoff, restartNotBefore } from './restart-backoff.ts'
import { shouldRestart, shouldRestartInit } from './restart-policy.ts'

/**
 * Compares what a pod asks for with what runs and says what to do next. The order is that of the pod lifecycle: a live
 * sandbox, init containers one after the other, sidecars once they are started, then all main containers.
 */
export function decidePod(situation: PodSituation): PodPlan {
  const { pod, view } = situation
  const sandbox = currentSandbox(view)
  if (sandbox === undefined || !isUsable(pod, sandbox)) return planNewSandbox(situation, sandbox)
  const draft = new PlanDraft(situation, sandbox.id)
  const init = planInitContainers(draft)
  if (init === 'failed') return draft.finish([{ type: 'stopPod' }])
  planEphemeralContainers(draft)
  if (init === 'done') {
    for (const container of pod.spec.containers) planMainContainer(draft, container)
    if (isFinished(situation, sandbox.id)) return draft.finish([{ type: 'stopPod' }])
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
  const draft = new PlanDraft(situation, undefined)
  if (old !== undefined) {
    if (hasNothingLeftToRun(situation)) return draft.finish([{ type: 'stopPod' }])
    for (const container of view.containers.filter(isRunning)) draft.kill(container, undefined, 'sandbox')
    draft.actions.push({ type: 'stopSandbox', sandbox: old })
  }
  draft.actions.push({ type: 'createSandbox', attempt: old === undefined ? 0 : old.metadata.attempt + 1 })
  const [firstInit] = pod.spec.initContainers ?? []
  const starting = firstInit === undefined ? pod.spec.containers : [firstInit]
  for (const container of starting)
    if (wantsToRun(situation, container)) draft.start(container, latestContainer(view, container.name))
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
  draft.start(container, latest ?? latestContainer(draft.situation.view, container.name))
  return 'waiting'
}

function planSidecar(draft: PlanDraft, container: Container): 'done' | 'waiting' {
  const latest = latestContainer(draft.situation.view, container.name, draft.sandboxId)
  if (isRunning(latest) && latest) {
    if (planKillOfRunning(draft, container, latest)) return 'waiting'
    return draft.situation.probes.isStarted(container, latest.id) ? 'done' : 'waiting'
  }
  draft.start(container, latest ?? latestContainer(draft.situation.view, container.name))
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
  draft.start(container, previous)
}

function planEphemeralContainers(draft: PlanDraft): void {
  for (const container of draft.situation.pod.spec.ephemeralContainers ?? []) {
    if (latestContainer(draft.situation.view, container.name) === undefined) draft.start(container, undefined)
  }
}

/** Whether a running container has to go: its probe failed, or its definition is another one now. */
function planKillOfRunning(draft: PlanDraft, spec: Container, running: ContainerStatus): boolean {
  const cause = causeOfKill(draft.situation.probes, spec, running)
  if (cause) draft.kill(running, spec, cause)
  return cause !== undefined
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
    case 'sandbox':
      return 'Pod sandbox changed, it will be killed and re-created.'
  }
}

class PlanDraft {
  readonly situation: PodSituation
  readonly sandboxId: string | undefined
  readonly actions: PodAction[] = []
  readonly #backingOff = new Map<string, number>()
  #wakeAtMs = Infinity

  constructor(situation: PodSituation, sandboxId: string | undefined) {
    this.situation = situation
    this.sandboxId = sandboxId
  }

  kill(container: ContainerStatus, spec: Container | undefined, cause: KillCause): void {
    const message = killMessage(cause, container.name)
    this.actions.push({ type: 'killContainer', container, message, cause, ...(spec && { spec }) })
  }

  /** Starts the container, now or when its delays are over. `previous` is the run before, if any. */
  start(spec: Container, previous: ContainerStatus | undefined): void {
    const { backoffs, holds, nowMs } = this.situation
    const holdMs = holds.get(spec.name)
    if (holdMs !== undefined && holdMs > nowMs) return this.#wakeAt(holdMs)
    if (previous === undefined) return void this.actions.push({ type: 'startContainer', spec, attempt: 0 })
    const finishedAtMs = previous.finishedAtMs || previous.createdAtMs
    const entry = backoffs.get(spec.name)
    const notBeforeMs = restartNotBefore(entry, { finishedAtMs, nowMs })
    if (notBeforeMs !== undefined && entry) {
      this.#backingOff.set(spec.name, entry.delayMs)
      return this.#wakeAt(notBeforeMs)
    }
    const backoff = nextBackoff(entry, { finishedAtMs, nowMs })
    this.actions.push({ type: 'startContainer', spec, attempt: previous.attempt + 1, backoff })
  }

  plan(): PodPlan {
    return this.finish([...this.actions, ...outdatedRemains(this.situation.view)])
  }

  finish(actions: readonly PodAction[]): PodPlan {
    const wake = Number.isFinite(this.#wakeAtMs) ? { wakeAtMs: this.#wakeAtMs } : {}
    return { actions, backingOff: this.#backingOff, ...wake }
  }

  #wakeAt(timeMs: number): void {
    this.#wakeAtMs = Math.min(this.#wakeAtMs, timeMs)
  }
}
