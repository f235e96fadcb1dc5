import { isStatusError } from '#api/meta/status.ts'
import type { Log } from '#lib/log.ts'
import type { Placement } from './cycle.ts'
import type { BindContext, Rejection } from './framework.ts'
import { nominateNode, takesTime } from './nominate-node.ts'
import { unreserve } from './reservation.ts'

/** How a binding ended; a rejection is the word of a plugin that had the pod wait. */
export type BindResult = 'bound' | 'gone' | 'failed' | Rejection

interface Binding extends BindContext {
  readonly log: Log
  /** Resolves once the pod may be bound, or with the reason why not; absent where nobody has it wait. */
  readonly allowed?: Promise<Rejection | undefined> | undefined
}

/** Binds the pod to its node, after what plugins have to do before. Never rejects. */
export async function bind(placement: Placement, context: Binding): Promise<BindResult> {
  const { events, log, allowed } = context
  const { pod } = placement.prepared.pod
  const { name, namespace = '' } = pod.metadata
  const isSlow = allowed !== undefined || takesTime(placement)
  try {
    if (isSlow) await tryToNominate(placement, placement.node.name, context)
    const rejection = allowed && (await allowed)
    if (rejection) {
      unreserve(placement)
      await tryToNominate(placement, null, context)
      return rejection
    }
    await bindByPlugins(placement, context)
    events.record(pod, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${placement.node.name}`)
    return 'bound'
  } catch (error) {
    unreserve(placement)
    if (isStatusError(error, 'NotFound')) return 'gone'
    // A conflict means that the pod changed meanwhile: the watch tells what became of it.
    if (!isStatusError(error, 'Conflict') && !context.signal.aborted) {
      log.warn('A pod could not be bound', { pod: `${namespace}/${name}`, error })
      events.record(pod, 'Warning', 'FailedScheduling', (error as Error).message)
      if (isSlow) await tryToNominate(placement, null, context)
    }
    return 'failed'
  }
}

/** Others only want to know: the binding goes on without. */
async function tryToNominate({ prepared }: Placement, nodeName: string | null, context: Binding): Promise<void> {
  const { pod } = prepared.pod
  await nominateNode(pod, nodeName, context).catch((error: unknown) => {
    if (!isStatusError(error, 'NotFound', 'Conflict')) context.log.warn('A node could not be nominated', { error })
  })
}

async function bindByPlugins({ prepared, node: { node } }: Placement, context: Binding): Promise<void> {
  const { pod, profile, states } = prepared
  const { preBind, postBind } = profile.points
  for (const { plugin, slot } of preBind) {
    if (states[slot] === 'skip' || !plugin.preBind) continue
    try {
      await plugin.preBind(pod, node, context, states[slot])
    } catch (error) {
      // What is not found is not the pod: it is tried anew.
      if (isStatusError(error, 'Conflict')) throw error
      throw named(`running PreBind plugin "${plugin.name}"`, error)
    }
  }
  const extender = profile.extenders.find((each) => each.bind && each.isInterestedIn(pod.pod))
  if (extender?.bind) await extender.bind(pod, node.metadata.name)
  else await bindOnce({ prepared, node }, context)
  for (const { plugin, slot } of postBind) {
    if (states[slot] !== 'skip') plugin.postBind?.(pod, node, context, states[slot])
  }
}

type Bound = Pick<Placement, 'prepared'> & { readonly node: Placement['node']['node'] }

/** Says what was being done. */
function named(what: string, error: unknown): Error {
  return new Error(`${what}: ${(error as Error).message}`, { cause: error })
}

/** By the first plugin that does not leave it to the next. */
async function bindOnce({ prepared: { pod, profile }, node }: Bound, context: Binding): Promise<void> {
  for (const { plugin } of profile.points.bind) {
    try {
      if ((await plugin.bind?.(pod, node, context)) === 'bound') return
    } catch (error) {
      if (isStatusError(error, 'NotFound', 'Conflict')) throw error
      throw named(`binding rejected: running Bind plugin "${plugin.name}"`, error)
    }
  }
  throw new Error('no plugin has bound the pod')
}
