import { badRequest, invalid, type FieldError } from '#api/meta/status.ts'

/** The query of a log request, checked. */
export interface LogOptions {
  readonly container: string
  readonly follow: boolean
  /** What the kubelet is asked: the same parameters without the container. */
  readonly query: URLSearchParams
}

const flags = ['follow', 'previous', 'timestamps'] as const
const bounds = [
  { name: 'tailLines', least: 0, rule: 'must be greater than or equal to 0' },
  { name: 'limitBytes', least: 1, rule: 'must be greater than 0' },
  { name: 'sinceSeconds', least: 1, rule: 'must be greater than 0' },
] as const
const streams: readonly string[] = ['All', 'Stdout', 'Stderr']

/** Reads `PodLogOptions` from a query. Throws BadRequest for unreadable values and Invalid for wrong ones. */
export function parseLogOptions(query: URLSearchParams, podName: string): LogOptions {
  const forwarded = new URLSearchParams()
  for (const name of flags) if (readFlag(query, name)) forwarded.set(name, 'true')
  const errors: FieldError[] = []
  for (const { name, least, rule } of bounds) {
    const value = readNumber(query, name)
    if (value === undefined) continue
    if (value < least)
      errors.push({ type: 'FieldValueInvalid', field: name, message: `Invalid value: ${value}: ${rule}` })
    forwarded.set(name, String(value))
  }
  readSinceTime(query, forwarded, errors)
  readStream(query, forwarded, errors)
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions', name: podName }, errors)
  return { container: query.get('container') ?? '', follow: forwarded.has('follow'), query: forwarded }
}

function readSinceTime(query: URLSearchParams, forwarded: URLSearchParams, errors: FieldError[]): void {
  const text = query.get('sinceTime')
  if (text === null || text === '') return
  if (Number.isNaN(Date.parse(text)))
    throw badRequest(`parsing time "${text}" as "2006-01-02T15:04:05Z07:00": cannot parse`)
  forwarded.set('sinceTime', text)
  if (!forwarded.has('sinceSeconds')) return
  const message = 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified'
  errors.push({ type: 'FieldValueForbidden', field: '[]', message })
}

function readStream(query: URLSearchParams, forwarded: URLSearchParams, errors: FieldError[]): void {
  const stream = query.get('stream')
  if (stream === null || stream === '' || stream === 'All') return
  if (!streams.includes(stream)) {
    const message = `Unsupported value: ${JSON.stringify(stream)}: supported values: "All", "Stderr", "Stdout"`
    errors.push({ type: 'FieldValueNotSupported', field: 'stream', message })
  } else if (forwarded.has('tailLines')) {
    const message = 'Forbidden: `tailLines` and specific `stream` are mutually exclusive for now'
    errors.push({ type: 'FieldValueForbidden', field: '[]', message })
  }
  forwarded.set('stream', stream)
}

function readNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (!/^[+-]?\d{1,15}$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

/** Kubernetes reads every text but these as true. */
export function readFlag(query: URLSearchParams, name: string): boolean {
  const text = query.get(name)
  return text !== null && !['false', '0', 'F', 'f', 'FALSE', 'False'].includes(text)
}
