import { isDeepStrictEqual } from 'node:util'
import facts from '#api/schema/bootstrap.json' with { type: 'json' }
import type { Catalog } from '#api/schema/catalog.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { ClusterRole, PolicyRule, RoleBinding, Subject } from '#api/types/rbac.v1.ts'
import {
  clusterRoleBindings,
  clusterRoles,
  flowSchemas,
  namespaces,
  priorityClasses,
  priorityLevelConfigurations,
  roleBindings,
  roles,
} from '#api/types/resources.ts'
import { uncoveredRules } from '../authz/rules-cover.ts'
import type { BootstrapBody, BootstrapObject } from './bootstrap-store.ts'
import { optionalPolicy } from './optional-policy.ts'

/** A row of `bootstrap.json`: an object without `apiVersion` and `kind`. */
interface Row {
  readonly metadata: BootstrapBody['metadata']
}

/** The namespaces, roles, bindings, priority classes and flow control that every cluster has. */
export function policyObjects(catalog: Catalog): readonly BootstrapObject[] {
  const optional = optionalPolicy(catalog)
  const usualRoles = facts.clusterroles.map((row) => withNodeRules(row, optional.nodeRules))
  return [
    ...facts.namespaces.map(namespaceObject),
    ...rowsOf(clusterRoles, [...usualRoles, ...optional.clusterRoles], mergeRole),
    ...rowsOf(clusterRoleBindings, [...facts.clusterrolebindings, ...optional.clusterRoleBindings], mergeBinding),
    ...rowsOf(roles, facts.roles, mergeRole),
    ...rowsOf(roleBindings, facts.rolebindings, mergeBinding),
    ...rowsOf(priorityClasses, facts.priorityclasses),
    ...rowsOf(priorityLevelConfigurations, facts.prioritylevelconfigurations, mergeFlowControl),
    ...rowsOf(flowSchemas, facts.flowschemas, mergeFlowControl),
  ]
}

/** The role that says what nodes may do reaches as far as the APIs that are served. */
function withNodeRules(row: (typeof facts.clusterroles)[number], more: readonly PolicyRule[]): object {
  return row.metadata.name === 'system:node' && more.length > 0 ? { ...row, rules: [...row.rules, ...more] } : row
}

function namespaceObject(name: string): BootstrapObject {
  const metadata = { name, labels: { 'kubernetes.io/metadata.name': name } }
  const body = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata,
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }
  return { resource: namespaces, object: body }
}

type Merge = (wanted: BootstrapBody, stored: KubernetesObject) => KubernetesObject | undefined

function rowsOf(resource: Resource, rows: readonly unknown[], merge?: Merge): BootstrapObject[] {
  const apiVersion = `${resource.group}/${resource.version}`
  return rows.map((row) => {
    const object: BootstrapBody = { apiVersion, kind: resource.kind, ...ownParts(row as Row) }
    return { resource, object, ...(merge && { merge: (stored) => merge(object, stored) }) }
  })
}

/** The rules of an aggregated role are gathered, and owned, by who aggregates. */
function ownParts(row: Row): Row {
  if (!('aggregationRule' in row)) return row
  const { rules: _rules, ...own } = row as Row & { readonly rules?: unknown }
  return { ...own, rules: null } as Row
}

/** Default roles and bindings heal themselves at each start, unless their annotation says `false` (documentation, auto-reconciliation). */
function healsItself(stored: KubernetesObject, annotation: string): boolean {
  return stored.metadata.annotations?.[annotation] === 'true'
}

const rbacAnnotation = 'rbac.authorization.kubernetes.io/autoupdate'

/** Adds missing rules, labels and annotations; what an administrator added stays. The rules of an aggregated role are not ours. */
function mergeRole(wanted: BootstrapBody, stored: KubernetesObject): KubernetesObject | undefined {
  if (!healsItself(stored, rbacAnnotation)) return undefined
  const ours = wanted as BootstrapBody & Pick<ClusterRole, 'rules' | 'aggregationRule'>
  const theirs = stored as ClusterRole
  const missing: readonly PolicyRule[] =
    ours.aggregationRule === undefined && !isDeepStrictEqual(theirs.rules, ours.rules)
      ? uncoveredRules(theirs.rules ?? [], ours.rules ?? [])
      : []
  const merged: ClusterRole = {
    ...theirs,
    metadata: mergeMetadata(wanted, stored),
    ...(missing.length > 0 && { rules: [...(theirs.rules ?? []), ...missing] }),
    ...(ours.aggregationRule && { aggregationRule: ours.aggregationRule }),
  }
  return isDeepStrictEqual(merged, theirs) ? undefined : merged
}

function mergeBinding(wanted: BootstrapBody, stored: KubernetesObject): KubernetesObject | undefined {
  if (!healsItself(stored, rbacAnnotation)) return undefined
  const ours = (wanted as BootstrapBody & Pick<RoleBinding, 'subjects'>).subjects ?? []
  const theirs = stored as RoleBinding
  const same = (a: Subject, b: Subject): boolean =>
    a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '')
  const missing = ours.filter((subject) => !(theirs.subjects ?? []).some((kept) => same(kept, subject)))
  const merged = {
    ...theirs,
    metadata: mergeMetadata(wanted, stored),
    ...(missing.length > 0 && { subjects: [...(theirs.subjects ?? []), ...missing] }),
  }
  return isDeepStrictEqual(merged, theirs) ? undefined : merged
}

function mergeMetadata(wanted: BootstrapBody, stored: KubernetesObject): KubernetesObject['metadata'] {
  const labels = { ...wanted.metadata.labels, ...stored.metadata.labels }
  const annotations = { ...wanted.metadata.annotations, ...stored.metadata.annotations }
  return {
    ...stored.metadata,
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  }
}

/** Takes back the whole spec, unless the annotation says that people keep it. */
function mergeFlowControl(wanted: BootstrapBody, stored: KubernetesObject): KubernetesObject | undefined {
  if (!healsItself(stored, 'apf.kubernetes.io/autoupdate-spec')) return undefined
  const { spec } = wanted as BootstrapBody & { readonly spec: unknown }
  const theirs = stored as KubernetesObject & { readonly spec?: unknown }
  return isDeepStrictEqual(theirs.spec, spec) ? undefined : ({ ...theirs, spec } as KubernetesObject)
}
