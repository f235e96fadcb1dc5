/** The `nameserver` and `search` lines of a `resolv.conf` text. */
export interface ResolvConf {
  readonly nameservers: readonly string[]
  readonly searches: readonly string[]
}

/** Reads a `resolv.conf` as resolvers do: at most three name servers, the last `search` line wins. */
export function readResolvConf(text: string): ResolvConf {
  const rows = text.split('\n').map((line) =>
    line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/),
  )
  const nameservers = rows.filter(([keyword]) => keyword === 'nameserver').flatMap(([, address]) => address ?? [])
  const searches =
    rows
      .filter(([keyword]) => keyword === 'search' || keyword === 'domain')
      .at(-1)
      ?.slice(1) ?? []
  return { nameservers: nameservers.slice(0, 3), searches }
}
