import type { PlacedPlugin } from './extension-points.ts'
import type { PostFilterContext, PostFilterOutcome, Refusal } from './framework.ts'
import type { PodInfo } from './pod-info.ts'

/** What is said of a refused pod once all plugins have been asked, and what is done for it. */
export interface Concluded extends PostFilterOutcome {
  readonly message: string
}

interface Refused extends PostFilterContext {
  readonly plugins: readonly PlacedPlugin[]
}

/** Asks the plugins in turn whether they can make room for the pod; the first that can ends the walk. */
export function afterRefusal(pod: PodInfo, refusal: Refusal, context: Refused): Concluded | Promise<Concluded> {
  if (context.snapshot.nodes.length === 0) return { message: refusal.message }
  const ask = (index: number, said: readonly PostFilterOutcome[]): Concluded | Promise<Concluded> => {
    const next = context.plugins[index]?.plugin
    if (!next?.postFilter) return conclusionOf(refusal, said)
    const goOn = (outcome: PostFilterOutcome) =>
      outcome.nominatedNodeName ? { ...outcome, message: refusal.message } : ask(index + 1, [...said, outcome])
    const outcome = next.postFilter(pod, refusal, context)
    return outcome instanceof Promise ? outcome.then(goOn) : goOn(outcome)
  }
  return ask(0, [])
}

/** Nobody could make room; what plugins do all the same, and what they said, stands. */
function conclusionOf({ message }: Refusal, said: readonly PostFilterOutcome[]): Concluded {
  const words = said.flatMap((outcome) => outcome.message ?? [])
  const work = said.flatMap((outcome) => outcome.work ?? [])
  return {
    message: words.length === 0 ? message : `${message} ${words.join(', ')}`,
    ...(said.some(({ nominatedNodeName }) => nominatedNodeName === '') && { nominatedNodeName: '' }),
    ...(work.length > 0 && { work: Promise.all(work).then(() => undefined) }),
  }
}
