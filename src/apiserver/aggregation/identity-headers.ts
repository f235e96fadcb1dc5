import type { OutgoingHttpHeaders } from 'node:http'
import type { UserInfo } from '#api/meta/exchange.ts'
import { hopHeaders } from '../streaming/hop-headers.ts'

/**
 * How extension API servers are told who asks (Kubernetes docs, "Configure the Aggregation Layer"): they believe it of
 * whoever presents the front proxy's certificate.
 */
export function identityHeaders({ name, uid, groups, extra = {} }: UserInfo): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'X-Remote-User': name, 'X-Remote-Group': [...groups] }
  if (uid !== undefined && uid !== '') headers['X-Remote-Uid'] = uid
  for (const [key, values] of Object.entries(extra)) headers[`X-Remote-Extra-${escapeKey(key)}`] = [...values]
  return headers
}

/** Header names cannot carry every key: what no token may hold is percent-encoded. */
function escapeKey(key: string): string {
  return key.replace(/[^!#$&'*+\-.^_`|~0-9A-Za-z]/g, (sign) =>
    [...Buffer.from(sign)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}

const dropped: ReadonlySet<string> = new Set(hopHeaders)

/** The headers of a request as an extension gets them: without the client's credentials, with its name. */
export function forwardedHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  user: UserInfo,
): OutgoingHttpHeaders {
  const forwarded: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(headers)) {
    const isKept =
      !name.startsWith(':') && !dropped.has(name) && !name.startsWith('x-remote-') && !name.startsWith('impersonate-')
    if (value !== undefined && isKept) forwarded[name] = Array.isArray(value) ? value : String(value as string)
  }
  return { ...forwarded, ...identityHeaders(user) }
}
