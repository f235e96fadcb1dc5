import type { ApiRequest, UserInfo } from '#api/meta/exchange.ts'
import { StatusError } from '#api/meta/status.ts'
import type { RequestContext } from '../request-context.ts'
import type { RequestInfo, Verb } from '../request-info.ts'
import { decide, requireAllowed } from './authorize.ts'
import type { Step } from './step.ts'

/**
 * Acts as the user named in `Impersonate-*` headers, if the caller may `impersonate` that user, each group, the uid
 * and each extra (Kubernetes docs, "User impersonation").
 */
export const impersonate: Step = {
  name: 'impersonate',
  run(context) {
    const wanted = impersonatedUser(context.request)
    if (wanted === undefined) return undefined
    if (!mayImpersonate(context, wanted)) requireConstrained(context, wanted)
    context.user = withImpliedGroups(wanted)
    return undefined
  },
}

/** Whether the caller may do anything in the other's name. */
function mayImpersonate({ user, server }: RequestContext, wanted: UserInfo): boolean {
  return permissionsFor(wanted).every((ask) => decide({ ...ask, user }, server).decision === 'allow')
}

/** Whether the caller may do just this in the other's name (KEP-5284); throws `Forbidden`. */
function requireConstrained({ info, user, server }: RequestContext, wanted: UserInfo): void {
  const mode = modeOf(wanted)
  requireAllowed({ ...info, verb: `impersonate-on:${mode}:${info.verb}` as Verb, user }, server)
  for (const ask of permissionsFor(wanted))
    requireAllowed({ ...ask, verb: `impersonate:${mode}` as Verb, user }, server)
}

function modeOf({ name }: UserInfo): string {
  if (name.startsWith('system:serviceaccount:')) return 'serviceaccount'
  return name.startsWith('system:node:') ? 'arbitrary-node' : 'user-info'
}

const extraPrefix = 'impersonate-extra-'

function impersonatedUser({ headers }: ApiRequest): UserInfo | undefined {
  if (!namesOther(headers)) return undefined
  const name = headers['impersonate-user']
  const uid = headers['impersonate-uid']
  const groups = splitHeader(headers['impersonate-group'])
  const extra = Object.entries(headers)
    .filter(([key]) => key.startsWith(extraPrefix))
    .map(([key, value]) => [decodeURIComponent(key.slice(extraPrefix.length)), splitHeader(value)] as const)
  if (name === undefined || name === '') {
    if (uid === undefined && groups.length === 0 && extra.length === 0) return undefined
    throw new StatusError('InternalError', 'requested other information without impersonating a user')
  }
  return {
    name,
    groups,
    ...(uid !== undefined && { uid }),
    ...(extra.length > 0 && { extra: Object.fromEntries(extra) }),
  }
}

/** Nearly no request has such headers. */
function namesOther(headers: ApiRequest['headers']): boolean {
  for (const name in headers) if (name.startsWith('impersonate-')) return true
  return false
}

/** Repeated headers arrive joined by a comma and a space. */
function splitHeader(value: string | undefined): string[] {
  return value === undefined || value === '' ? [] : value.split(', ')
}

function permissionsFor(user: UserInfo): RequestInfo[] {
  const serviceAccount = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user.name)
  const subject =
    serviceAccount === null
      ? impersonation('', 'users', user.name)
      : impersonation('', 'serviceaccounts', serviceAccount[2] ?? '', serviceAccount[1])
  const extras = Object.entries(user.extra ?? {}).flatMap(([key, values]) =>
    values.map((value) => ({ ...impersonation('authentication.k8s.io', 'userextras', value), subresource: key })),
  )
  return [
    subject,
    ...user.groups.map((group) => impersonation('', 'groups', group)),
    ...extras,
    ...(user.uid === undefined ? [] : [impersonation('authentication.k8s.io', 'uids', user.uid)]),
  ]
}

function impersonation(group: string, resource: string, name: string, namespace = ''): RequestInfo {
  const rest = { path: '', subresource: '', rest: '' }
  return {
    ...rest,
    isResourceRequest: true,
    verb: 'impersonate' as RequestInfo['verb'],
    group,
    version: 'v1',
    resource,
    name,
    namespace,
  }
}

function withImpliedGroups(user: UserInfo): UserInfo {
  if (user.name === 'system:anonymous') {
    return { ...user, groups: user.groups.length > 0 ? user.groups : ['system:unauthenticated'] }
  }
  const serviceAccount = /^system:serviceaccount:([^:]+):/.exec(user.name)
  const implied =
    serviceAccount !== null && user.groups.length === 0
      ? ['system:serviceaccounts', `system:serviceaccounts:${serviceAccount[1]}`]
      : user.groups
  if (implied.includes('system:authenticated')) return { ...user, groups: implied }
  return { ...user, groups: [...implied, 'system:authenticated'] }
}
