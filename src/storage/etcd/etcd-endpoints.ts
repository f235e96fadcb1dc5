/** How the members of an etcd cluster are reached. */
export interface EtcdEndpoints {
  /** `host:port` of each member, in the order in which they are tried. */
  readonly addresses: readonly string[]
  readonly isSecure: boolean
}

/**
 * Reads URLs as etcd advertises them to its clients (`http://10.0.0.1:2379`). All must have one scheme. Throws a
 * `RangeError` that names the wrong one; a URL with credentials is refused without repeating it.
 */
export function parseEtcdServers(servers: readonly string[]): EtcdEndpoints {
  if (servers.length === 0) throw new RangeError('At least one etcd server is needed, such as http://127.0.0.1:2379')
  const urls = servers.map(parseServer)
  const [{ protocol }] = urls as [URL]
  if (urls.some((url) => url.protocol !== protocol)) {
    throw new RangeError('All etcd servers must have the same scheme: http or https')
  }
  const addresses = [...new Set(urls.map((url) => `${url.hostname}:${portOf(url)}`))]
  return { addresses, isSecure: protocol === 'https:' }
}

function parseServer(text: string): URL {
  const url = URL.parse(text)
  if (url?.username || url?.password) throw new RangeError('The URL of an etcd server must not hold credentials')
  const isPlain = url !== null && url.pathname === '/' && url.search === '' && url.hash === '' && url.hostname !== ''
  if (isPlain && (url.protocol === 'http:' || url.protocol === 'https:')) return url
  throw new RangeError(`Cannot use "${text}" as an etcd server: expected a URL such as http://127.0.0.1:2379`)
}

/** A URL hides the port that is usual for its scheme; etcd's own usual port is another. */
function portOf({ port, protocol, href }: URL): string {
  if (port !== '') return port
  const usual = protocol === 'https:' ? '443' : '80'
  return new RegExp(`:${usual}(/|$)`).test(href) ? usual : '2379'
}
