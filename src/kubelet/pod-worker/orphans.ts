import type { SandboxInfo } from '../cri/sandbox.ts'
import { podUidLabel } from './labels.ts'
import { recordedGraceSeconds } from './stop-containers.ts'
import type { WorkerContext } from './worker-context.ts'

/**
 * Stops and removes pods that the runtime or the node's disk still holds although the API knows them no more. Only to
 * be called once all pods of the API are known. One that cannot be removed is logged and left for the next start.
 */
export async function removeOrphans(context: WorkerContext, isKnown: (podUid: string) => boolean): Promise<void> {
  const sandboxes = (await context.runtime.listSandboxes()).filter(
    ({ metadata }) => metadata.uid !== '' && !isKnown(metadata.uid),
  )
  const byPod = Map.groupBy(sandboxes, ({ metadata }) => metadata.uid)
  await Promise.all([...byPod].map(([uid, ofPod]) => logged(context, uid, () => removePod(context, uid, ofPod))))
  const remains = (await context.host.remains()).filter((uid) => !isKnown(uid) && !byPod.has(uid))
  for (const uid of remains) {
    await logged(context, uid, () => context.host.cleanUp({ uid, name: '', namespace: '' }, { withLogs: false }))
  }
}

async function removePod(
  { runtime, host }: WorkerContext,
  uid: string,
  sandboxes: readonly SandboxInfo[],
): Promise<void> {
  const containers = await runtime.listContainers({ podUid: uid })
  const running = containers.filter(({ state }) => state === 'running')
  await Promise.all(running.map((run) => runtime.stopContainer(run.id, recordedGraceSeconds(run))))
  for (const { id } of sandboxes) {
    await runtime.stopSandbox(id)
    await runtime.removeSandbox(id)
  }
  const [first] = sandboxes
  if (first) await host.cleanUp(first.metadata, { withLogs: true })
}

async function logged({ log }: WorkerContext, uid: string, step: () => Promise<void>): Promise<void> {
  try {
    await step()
    log.info('orphaned pod removed', { [podUidLabel]: uid })
  } catch (error) {
    log.warn('orphaned pod not removed', { [podUidLabel]: uid, error })
  }
}
