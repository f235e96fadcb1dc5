import { isDeepStrictEqual } from 'node:util'
import { matcherOf } from '#api/meta/labels.ts'
import type { ClusterRole, PolicyRule } from '#api/types/rbac.v1.ts'
import { clusterRoles } from '#api/types/resources.ts'
import { defineController, watchOf, type ControllerContext } from '#reconcile/controller.ts'

/** Keeps the rules of roles such as `admin`, `edit` and `view` equal to the union of the roles they select. */
export const clusterRoleAggregationController = defineController({
  name: 'clusterrole-aggregation-controller',
  watches: [watchOf(clusterRoles, aggregatesOf)],
  writes: [{ resource: clusterRoles, verbs: ['patch'] }],
  reconcile,
})

/** A role's own key if it aggregates, and the keys of those it is, or was, a part of. */
function aggregatesOf(role: ClusterRole, { informers }: ControllerContext, previous?: ClusterRole): readonly string[] {
  if (previous !== undefined && isDeepStrictEqual(contributionOf(role), contributionOf(previous))) return []
  const states = previous === undefined ? [role] : [role, previous]
  const wholes = informers
    .of(clusterRoles)
    .list()
    .filter((whole) => states.some((part) => isPart(whole, part)))
  const own = role.aggregationRule === undefined ? [] : [role]
  return [...new Set([...own, ...wholes].map(({ metadata }) => metadata.name))]
}

function contributionOf({ metadata, rules, aggregationRule }: ClusterRole): object {
  return { labels: metadata.labels, rules, aggregationRule }
}

function isPart(whole: ClusterRole, part: ClusterRole): boolean {
  if (whole.metadata.name === part.metadata.name) return false
  const selectors = whole.aggregationRule?.clusterRoleSelectors ?? []
  return selectors.some((selector) => matcherOf(selector).matches(part.metadata.labels))
}

/** The distinct rules of all parts, in the order of their names. */
function aggregatedRules(whole: ClusterRole, roles: readonly ClusterRole[]): readonly PolicyRule[] {
  const parts = roles.filter((part) => isPart(whole, part))
  const sorted = parts.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  const distinct = new Map(sorted.flatMap(({ rules }) => rules ?? []).map((rule) => [JSON.stringify(rule), rule]))
  return [...distinct.values()]
}

async function reconcile(name: string, { informers, client }: ControllerContext): Promise<void> {
  const role = informers.of(clusterRoles).get(name)
  if (role?.aggregationRule === undefined) return
  const rules = aggregatedRules(role, informers.of(clusterRoles).list())
  if (isDeepStrictEqual(rules, role.rules ?? [])) return
  const { uid, resourceVersion } = role.metadata
  const { apiVersion, kind } = role
  const fieldManager = clusterRoleAggregationController.name
  await client
    .resource(clusterRoles)
    .apply({ apiVersion, kind, metadata: { name, uid, resourceVersion }, rules }, { fieldManager, force: true })
}
