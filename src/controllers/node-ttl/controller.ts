import { isStatusError } from '#api/meta/status.ts'
import type { Node } from '#api/types/core.v1.ts'
import { nodes } from '#api/types/resources.ts'
import { defineController, watchOf, type Controller, type ControllerContext } from '#reconcile/controller.ts'
import { decideTtl, firstStep } from './decide.ts'

const annotation = 'node.alpha.kubernetes.io/ttl'

/** Tells kubelets for how many seconds they may keep config maps and secrets: the longer, the more nodes there are. */
export function nodeTtlController(): Controller {
  let step = firstStep
  return defineController({
    name: 'ttl-controller',
    watches: [
      watchOf(nodes, (node, { informers }, previous) => {
        const count = informers.of(nodes).list().length
        const next = decideTtl(step, count)
        if (next === step) return needsTtl(node, previous, step.ttlSeconds) ? [node.metadata.name] : []
        step = next
        return informers
          .of(nodes)
          .list()
          .map(({ metadata }) => metadata.name)
      }),
    ],
    writes: [{ resource: nodes, verbs: ['patch'] }],
    reconcile: (name, context) => annotate(name, context, step.ttlSeconds),
  })
}

function needsTtl({ metadata }: Node, previous: Node | undefined, seconds: number): boolean {
  if (previous !== undefined && previous.metadata.annotations === metadata.annotations) return false
  return metadata.annotations?.[annotation] !== String(seconds)
}

async function annotate(name: string, { informers, client }: ControllerContext, seconds: number): Promise<void> {
  const node = informers.of(nodes).get(name)
  if (node === undefined || node.metadata.annotations?.[annotation] === String(seconds)) return
  const patch = { metadata: { annotations: { [annotation]: String(seconds) } } }
  await client
    .resource(nodes)
    .patch(name, { type: 'strategic', patch })
    .catch((error: unknown) => {
      if (!isStatusError(error, 'NotFound')) throw error
    })
}
