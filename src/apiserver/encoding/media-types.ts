/** One range of an `Accept` header, or the one value of a `Content-Type`. */
export interface MediaRange {
  /** Lower case: `application/json`. */
  readonly type: string
  readonly parameters: Readonly<Record<string, string>>
  readonly quality: number
}

/** Ranges by falling quality, and in the client's order among equals (RFC 9110, 12.5.1). Unreadable ranges are left out. */
export function parseAccept(header: string): MediaRange[] {
  const ranges = header
    .split(',')
    .map(parseMediaRange)
    .filter((range) => range !== undefined)
  return ranges.sort((left, right) => right.quality - left.quality)
}

/** One media type with its parameters, or undefined if it is none. */
export function parseMediaRange(text: string): MediaRange | undefined {
  const [type = '', ...pairs] = text.split(';').map((part) => part.trim())
  if (!/^[^\s/]+\/[^\s/]+$/.test(type)) return undefined
  const parameters: Record<string, string> = {}
  for (const pair of pairs) {
    const cut = pair.indexOf('=')
    if (cut > 0) parameters[pair.slice(0, cut).toLowerCase()] = pair.slice(cut + 1).replace(/^"|"$/g, '')
  }
  const quality = parameters['q'] === undefined ? 1 : Number(parameters['q'])
  return { type: type.toLowerCase(), parameters, quality: Number.isFinite(quality) ? quality : 0 }
}
