import type { Container, Pod } from '#api/types/core.v1.ts'
import { messageOf } from '#lib/file-error.ts'
import { isRuntimeError, RuntimeError } from '../cri/runtime.ts'
import { ContainerStartError } from '../environment/container-start-error.ts'
import { containerConfig, type ContainerConfigInput } from './container-config.ts'
import { containerEvents } from './container-events.ts'
import { runHook } from './lifecycle-hook.ts'
import { stopContainer } from './stop-containers.ts'
import type { WorkerContext } from './worker-context.ts'

export interface StartContainerInput extends Omit<ContainerConfigInput, 'image'> {
  readonly sandboxId: string
  readonly podIp: string
}

/**
 * Takes one container from nothing to running, with its image, its events and its postStart hook. Throws
 * `ContainerStartError` with the reason that the container's status shows.
 */
export async function startContainer(context: WorkerContext, input: StartContainerInput): Promise<void> {
  const { pod, container, signal } = input
  const { events, runtime, images } = context
  const image = await images.ensure(input)
  const config = await withEvent(context, input, 'CreateContainerConfigError', () =>
    containerConfig(context, { ...input, image }),
  )
  const id = await withEvent(context, input, 'CreateContainerError', () =>
    runtime.createContainer(input.sandboxId, config, input.sandbox, { signal }),
  )
  containerEvents(events, pod, container.name)('Normal', 'Created', 'Container created')
  await withEvent(context, input, 'RunContainerError', () => runtime.startContainer(id, { signal }))
  containerEvents(events, pod, container.name)('Normal', 'Started', 'Container started')
  const logPath = `${input.sandbox.logDirectory}/${config.logPath}`
  await context.host.linkLog(pod, { id, name: container.name, logPath }).catch((error: unknown) => {
    context.log.warn('container log not linked', { pod: pod.metadata.name, container: container.name, error })
  })
  await runPostStart(context, { ...input, id, pod, container })
}

async function withEvent<Result>(
  { events }: WorkerContext,
  { pod, container }: { readonly pod: Pod; readonly container: Container },
  reason: string,
  step: () => Promise<Result>,
): Promise<Result> {
  try {
    return await step()
  } catch (error) {
    if (isRuntimeError(error, 'Cancelled')) throw error
    const message = isRuntimeError(error) ? error.details : messageOf(error)
    containerEvents(events, pod, container.name)('Warning', 'Failed', `Error: ${message}`)
    throw error instanceof ContainerStartError ? error : new ContainerStartError(reason, message, { cause: error })
  }
}

interface PostStartInput extends StartContainerInput {
  readonly id: string
  readonly pod: Pod
  readonly container: Container
}

/** A container whose postStart hook fails is killed; its restart policy decides what comes next. */
async function runPostStart(context: WorkerContext, input: PostStartInput): Promise<void> {
  const { pod, container, id, podIp, signal } = input
  const handler = container.lifecycle?.postStart
  if (handler === undefined) return
  try {
    const hook = runHook(context, handler, { pod, container, containerId: id, podIp, timeoutSeconds: 0, signal })
    await untilAborted(hook, signal)
  } catch (error) {
    // The pod is to end: whoever ends it stops the container too.
    if (signal.aborted) throw new RuntimeError('Cancelled', 'the pod ends')
    const record = containerEvents(context.events, pod, container.name)
    // What the hook said may be a secret, and events are read by more people than pods are.
    record('Warning', 'FailedPostStartHook', 'PostStartHook failed')
    record('Normal', 'Killing', 'FailedPostStartHook')
    const run = { id, name: container.name }
    const graceSeconds = pod.spec.terminationGracePeriodSeconds ?? 30
    await stopContainer(context, { pod, podIp, run, spec: container, graceSeconds, signal })
    throw new ContainerStartError('PostStartHookError', error instanceof Error ? error.message : String(error), {
      cause: error,
    })
  }
}

/** A hook may hang; a pod that is to end does not wait for it. */
async function untilAborted(hook: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>()
  const onAbort = (): void => aborted.reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([hook, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
