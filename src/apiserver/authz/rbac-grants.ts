import type { UserInfo } from '#api/meta/exchange.ts'
import type { ClusterRoleBinding, PolicyRule, RoleBinding, RoleRef, Subject } from '#api/types/rbac.v1.ts'
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from '#api/types/resources.ts'
import type { ObjectReader } from '../registry/object-reader.ts'

/** What one binding gives one user. */
export interface Grant {
  /** As in upstream's reason: `ClusterRoleBinding "x" of ClusterRole "y" to User "z"`. */
  readonly description: string
  readonly rules: readonly PolicyRule[]
}

export interface Grants {
  readonly grants: readonly Grant[]
  /** One text for each binding whose role does not exist. */
  readonly errors: readonly string[]
  /** Whether any rule is for named objects only. */
  readonly dependsOnNames: boolean
}

type Binding = ClusterRoleBinding | RoleBinding
interface BoundSubject {
  readonly order: number
  readonly binding: Binding
  readonly subject: Subject
}

/** Bindings of one scope by the subject they name: `U` user, `G` group. */
type SubjectIndex = ReadonlyMap<string, readonly BoundSubject[]>

/**
 * Answers which roles a user holds, from an index that is made once for each list of bindings and thrown away when the
 * list changes.
 */
export class GrantIndex {
  readonly #reader: ObjectReader
  readonly #indexes = new WeakMap<readonly Binding[], SubjectIndex>()

  constructor(reader: ObjectReader) {
    this.#reader = reader
  }

  /** Changes its identity whenever any role or binding changed: what callers derive their caches from. */
  version(): readonly unknown[] {
    const reader = this.#reader
    return [reader.list(clusterRoles), reader.list(clusterRoleBindings), reader.list(roles), reader.list(roleBindings)]
  }

  /** Cluster-wide grants first, then those of the namespace, each in the order of the bindings' names. */
  grantsOf(user: UserInfo, namespace: string): Grants {
    const grants: Grant[] = []
    const errors: string[] = []
    const collect = (bindings: readonly Binding[], scope: string): void => {
      for (const { binding, subject } of this.#bindingsOf(user, bindings)) {
        const rules = this.#rulesOf(binding.roleRef, scope)
        if (rules === undefined) errors.push(missingRole(binding.roleRef))
        else grants.push({ description: describe(binding, subject, scope), rules })
      }
    }
    collect(this.#reader.list(clusterRoleBindings), '')
    if (namespace !== '') collect(this.#reader.list(roleBindings, namespace), namespace)
    const dependsOnNames = grants.some(({ rules }) => rules.some((rule) => (rule.resourceNames?.length ?? 0) > 0))
    return { grants, errors, dependsOnNames }
  }

  /** The rules behind a reference, or undefined where there is no such role. */
  rulesOf(roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    return this.#rulesOf(roleRef, namespace)
  }

  #rulesOf(roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    const role =
      roleRef.kind === 'ClusterRole'
        ? this.#reader.get(clusterRoles, roleRef.name)
        : this.#reader.get(roles, roleRef.name, namespace)
    return role === undefined ? undefined : (role.rules ?? [])
  }

  #bindingsOf(user: UserInfo, bindings: readonly Binding[]): readonly BoundSubject[] {
    const index = this.#indexes.get(bindings) ?? indexSubjects(bindings)
    this.#indexes.set(bindings, index)
    const found = [`U${user.name}`, ...user.groups.map((group) => `G${group}`)].flatMap((key) => index.get(key) ?? [])
    const first = new Map<Binding, BoundSubject>()
    for (const bound of found.sort((a, b) => a.order - b.order))
      if (!first.has(bound.binding)) first.set(bound.binding, bound)
    return [...first.values()]
  }
}

function indexSubjects(bindings: readonly Binding[]): SubjectIndex {
  const index = new Map<string, BoundSubject[]>()
  let order = 0
  for (const binding of bindings) {
    for (const subject of binding.subjects ?? []) {
      const key = subjectKey(subject, binding.metadata.namespace ?? '')
      if (key === undefined) continue
      const bound = { order: order++, binding, subject }
      const kept = index.get(key)
      if (kept === undefined) index.set(key, [bound])
      else kept.push(bound)
    }
  }
  return index
}

function subjectKey(subject: Subject, bindingNamespace: string): string | undefined {
  if (subject.kind === 'User') return `U${subject.name}`
  if (subject.kind === 'Group') return `G${subject.name}`
  const namespace = subject.namespace || bindingNamespace
  return subject.kind === 'ServiceAccount' && namespace !== ''
    ? `Usystem:serviceaccount:${namespace}:${subject.name}`
    : undefined
}

function describe(binding: Binding, subject: Subject, namespace: string): string {
  const name = namespace === '' ? binding.metadata.name : `${binding.metadata.name}/${namespace}`
  const kind = namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding'
  const isAccount = subject.kind === 'ServiceAccount'
  const holder = isAccount ? `${subject.name}/${subject.namespace || namespace}` : subject.name
  const { roleRef } = binding
  return `${kind} ${JSON.stringify(name)} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${subject.kind} ${JSON.stringify(holder)}`
}

function missingRole(roleRef: RoleRef): string {
  return `${roleRef.kind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(roleRef.name)} not found`
}
