/** What a `resolv.conf` says. */
export interface ResolvConf {
  readonly servers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly string[]
}

/** Reads the text of a `resolv.conf`; the last `search` line counts. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = []
  const options: string[] = []
  let searches: string[] = []
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/)
    if (keyword === 'nameserver' && values[0] !== undefined) servers.push(values[0])
    else if (keyword === 'search') searches = values.map((domain) => domain.replace(/(?<=.)\.$/, ''))
    else if (keyword === 'options') options.push(...values)
  }
  return { servers, searches, options }
}
