import { nodeCondition } from '#api/core/v1/node-facts.ts'
import type { Node } from '#api/types/core.v1.ts'
import { nodes } from '#api/types/resources.ts'
import { formatTime } from '#lib/clock.ts'
import { isStatusError } from '#api/meta/status.ts'
import {
  defineController,
  watchOf,
  type Controller,
  type ControllerContext,
  type ReconcileResult,
} from '#reconcile/controller.ts'
import { cidrsOf } from '../node-ipam/decide.ts'
import { messageOf } from '../pod-from-template.ts'
import type { Route, Routes } from './cloud-provider.ts'

/** The cloud's table may be changed by others without a word: it is compared at this interval, too. */
const comparedEveryMs = 60_000

/** Keeps the cloud's routing table such that packets for a node's pods reach the node, and says so on the node. */
export function routeController(routes: Routes): Controller {
  return defineController({
    name: 'route-controller',
    watches: [watchOf(nodes, (node, _context, previous) => (isSame(node, previous) ? [] : ['routes']))],
    writes: [{ resource: nodes, subresource: 'status', verbs: ['patch'] }],
    reconcile: (_key, context) => reconcile(context, routes),
  })
}

function isSame(node: Node, previous: Node | undefined): boolean {
  if (previous === undefined) return false
  const states = [node, previous].map((state) =>
    JSON.stringify([cidrsOf(state), nodeCondition(state, 'NetworkUnavailable')?.status]),
  )
  return states[0] === states[1] && node.metadata.deletionTimestamp === undefined
}

/** Which routes to make and which to take away. */
function decideRoutes(
  known: readonly Route[],
  all: readonly Node[],
): { readonly create: readonly Route[]; readonly remove: readonly Route[] } {
  const wanted = all.flatMap((node) => cidrsOf(node).map((cidr): Route => ({ nodeName: node.metadata.name, cidr })))
  const isIn = (routes: readonly Route[], { nodeName, cidr }: Route): boolean =>
    routes.some((route) => route.nodeName === nodeName && route.cidr === cidr)
  return {
    create: wanted.filter((route) => !isIn(known, route)),
    remove: known.filter((route) => !isIn(wanted, route)),
  }
}

async function reconcile(context: ControllerContext, routes: Routes): Promise<ReconcileResult> {
  const all = context.informers.of(nodes).list()
  const { create, remove } = decideRoutes(await routes.list(), all)
  for (const route of remove) await routes.remove(route)
  const failed = new Set<string>()
  for (const route of create) {
    const node = all.find(({ metadata }) => metadata.name === route.nodeName)
    await routes.create(route).catch((error: unknown) => {
      failed.add(route.nodeName)
      if (node === undefined) return
      const message = `Could not create route ${route.cidr} for node ${route.nodeName}: ${messageOf(error)}`
      context.events.record(node, 'Warning', 'FailedToCreateRoute', message)
    })
  }
  for (const node of all) if (cidrsOf(node).length > 0) await tell(node, !failed.has(node.metadata.name), context)
  if (failed.size > 0) throw new Error(`${failed.size} nodes have no route`)
  return { requeueAfterMs: comparedEveryMs }
}

async function tell(node: Node, hasRoute: boolean, { client, clock }: ControllerContext): Promise<void> {
  const status = hasRoute ? 'False' : 'True'
  if (nodeCondition(node, 'NetworkUnavailable')?.status === status) return
  const now = formatTime(clock.now())
  const [reason, message] = hasRoute
    ? ['RouteCreated', 'RouteController created a route']
    : ['NoRouteCreated', 'RouteController failed to create a route']
  const condition = {
    type: 'NetworkUnavailable',
    status,
    reason,
    message,
    lastTransitionTime: now,
    lastHeartbeatTime: now,
  }
  const patch = { status: { conditions: [condition] } }
  await client
    .resource(nodes)
    .patch(node.metadata.name, { type: 'strategic', patch }, { subresource: 'status' })
    .catch((error: unknown) => {
      if (!isStatusError(error, 'NotFound')) throw error
    })
}
