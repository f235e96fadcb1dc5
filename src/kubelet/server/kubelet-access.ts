import type { TLSSocket } from 'node:tls'
import type { UserInfo } from '#api/meta/exchange.ts'
import { subjectAccessReviews } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import type { Clock } from '#lib/clock.ts'
import { AnswerCache } from './answer-cache.ts'

/** What somebody wants of this kubelet, in the words of RBAC: a verb on `nodes/<subresource>`. */
export interface KubeletAccess {
  readonly user: UserInfo
  readonly verb: string
  readonly subresource: string
  readonly nodeName: string
}

/** The owner of a client certificate that the cluster's CA has signed, or `undefined`. */
export function userOf(socket: TLSSocket): UserInfo | undefined {
  if (!socket.authorized) return undefined
  const { subject } = socket.getPeerCertificate()
  // A name that stands there twice comes as a list at run time.
  const [name] = listOf(subject?.CN)
  return name === undefined ? undefined : { name, groups: [...listOf(subject?.O), 'system:authenticated'] }
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : value
}

const verbs: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }

const subresources: Readonly<Record<string, string>> = {
  stats: 'stats',
  metrics: 'metrics',
  logs: 'log',
  pods: 'pods',
  healthz: 'healthz',
  configz: 'configz',
  checkpoint: 'checkpoint',
}

export function accessOf(request: {
  readonly user: UserInfo
  readonly method: string
  readonly path: string
  readonly nodeName: string
}): KubeletAccess {
  const { user, method, path, nodeName } = request
  const verb = verbs[method] ?? 'get'
  return { user, verb, subresource: subresources[path.split('/')[1] ?? ''] ?? 'proxy', nodeName }
}

interface SubjectAccessReviewAnswer {
  readonly status?: { readonly allowed?: boolean }
}

/** For how long a yes and a no are good. */
export interface DecisionLifetimes {
  readonly clock: Clock
  readonly allowedMs: number
  readonly refusedMs: number
}

/**
 * Asks the API server, and remembers for a while; `proxy` on the node grants the finer subresources too (KEP-2862).
 */
export function subjectAccessReviewer(
  client: Client,
  { clock, allowedMs, refusedMs }: DecisionLifetimes,
): (access: KubeletAccess) => Promise<boolean> {
  const cache = new AnswerCache<boolean>(clock, (isAllowed) => (isAllowed ? allowedMs : refusedMs))
  const ask = async ({ user, verb, nodeName }: KubeletAccess, subresource: string): Promise<boolean> => {
    const resourceAttributes = { verb, version: 'v1', resource: 'nodes', subresource, name: nodeName }
    const extra = Object.fromEntries(Object.entries(user.extra ?? {}).map(([key, values]) => [key, [...values]]))
    const { uid } = user
    const spec = { user: user.name, ...(uid && { uid }), groups: [...user.groups], extra, resourceAttributes }
    const review = { metadata: {}, spec }
    const answer = (await client.resource(subjectAccessReviews).create(review)) as SubjectAccessReviewAnswer
    return answer.status?.allowed === true
  }
  return (access) =>
    cache.get(JSON.stringify(access), async () => {
      return (await ask(access, access.subresource)) || (access.subresource !== 'proxy' && (await ask(access, 'proxy')))
    })
}
