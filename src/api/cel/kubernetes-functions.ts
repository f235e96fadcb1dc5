import { CelError } from '#lib/cel/cel-error.ts'
import type { CelFunction, CelFunctions } from '#lib/cel/cel-function.ts'
import { standardFunctions } from '#lib/cel/standard-functions.ts'
import { CelOpaque, CelOptional, EntryMap, type CelValue } from '#lib/cel/values.ts'
import { hasFormat } from '../apiextensions/structural/formats.ts'
import { dns1035Label, dnsLabel, dnsSubdomain, labelValue, qualifiedName } from '../meta/names.ts'
import { addressFunctions } from './address-functions.ts'
import { quantityFunctions } from './quantity-functions.ts'
import { versionFunctions } from './version-functions.ts'

function opaque(value: CelValue | undefined, type: string): unknown {
  if (value instanceof CelOpaque && value.type === type) return value.data
  throw new CelError('no such overload')
}

const urlType = 'kubernetes.URL'

function readUrl(text: string): URL | undefined {
  // A path alone is a URL too; it has no scheme and no host.
  if (text.startsWith('/')) return URL.canParse(`path:${text}`) ? new URL(`path:${text}`) : undefined
  return /^[A-Za-z][\w+.-]*:/.test(text) && URL.canParse(text) ? new URL(text) : undefined
}

const urlPart =
  (read: (url: URL) => string): CelFunction =>
  ([value]) =>
    read(opaque(value, urlType) as URL)

const urls: CelFunctions = {
  url: ([text]) => {
    const url = typeof text === 'string' ? readUrl(text) : undefined
    if (url === undefined)
      throw new CelError(`URL parse error during conversion from string: ${String(text as string)}`)
    return new CelOpaque(urlType, url, (other) => (other as URL).href === url.href)
  },
  isURL: ([text]) => typeof text === 'string' && readUrl(text) !== undefined,
  getScheme: urlPart(({ protocol }) => (protocol === 'path:' ? '' : protocol.slice(0, -1))),
  getHost: urlPart(({ host }) => host),
  getHostname: urlPart(({ hostname }) => hostname.replace(/^\[|\]$/g, '')),
  getPort: urlPart(({ port }) => port),
  getEscapedPath: urlPart(({ pathname }) => pathname),
  getQuery: ([value]) => {
    const { searchParams } = opaque(value, urlType) as URL
    return new EntryMap([...new Set(searchParams.keys())].map((key) => [key, searchParams.getAll(key)] as const))
  },
}

const formatType = 'kubernetes.NamedFormat'

const formatRules: Readonly<Record<string, (text: string) => readonly string[]>> = {
  dns1123Label: dnsLabel,
  dns1123Subdomain: dnsSubdomain,
  dns1035Label,
  qualifiedName,
  labelValue,
  dns1123LabelPrefix: (text) => dnsLabel(text.replace(/-$/, 'a')),
  dns1123SubdomainPrefix: (text) => dnsSubdomain(text.replace(/-$/, 'a')),
  dns1035LabelPrefix: (text) => dns1035Label(text.replace(/-$/, 'a')),
  uri: (text) => (readUrl(text) === undefined ? ['invalid URL'] : []),
  uuid: (text) => (hasFormat('uuid', text) ? [] : ['does not match the UUID format']),
  byte: (text) => (hasFormat('byte', text) ? [] : ['invalid base64']),
  date: (text) => (hasFormat('date', text) ? [] : ['invalid date']),
  datetime: (text) => (hasFormat('date-time', text) ? [] : ['invalid datetime']),
}

function namedFormat(name: string): CelOpaque {
  return new CelOpaque(formatType, name, (other) => other === name)
}

const formats: CelFunctions = {
  ...Object.fromEntries(Object.keys(formatRules).map((name) => [`format.${name}`, () => namedFormat(name)])),
  'format.named': ([name]) =>
    new CelOptional(typeof name === 'string' && Object.hasOwn(formatRules, name) ? namedFormat(name) : undefined),
  validate: ([format, text]) => {
    const rule = formatRules[opaque(format, formatType) as string]
    const problems = typeof text === 'string' ? (rule?.(text) ?? []) : ['no text']
    return new CelOptional(problems.length === 0 ? undefined : [...problems])
  },
}

/** Some names mean different things for different receivers: the first library that knows the receiver answers. */
function merge(...libraries: readonly CelFunctions[]): CelFunctions {
  const merged: Record<string, CelFunction> = {}
  for (const library of libraries) {
    for (const [name, own] of Object.entries(library)) {
      const before = merged[name] ?? standardFunctions[name]
      merged[name] = before === undefined ? own : (args) => firstThatFits([own, before], args)
    }
  }
  return merged
}

function firstThatFits(functions: readonly CelFunction[], args: readonly CelValue[]): CelValue {
  const [first, ...others] = functions
  try {
    return (first as CelFunction)(args)
  } catch (error) {
    const isOther = error instanceof CelError && error.message === 'no such overload'
    if (!isOther || others.length === 0) throw error
    return firstThatFits(others, args)
  }
}

/** The functions that Kubernetes adds to CEL: quantities, addresses, versions, URLs, formats (docs, "CEL in Kubernetes"). */
export const kubernetesFunctions: CelFunctions = merge(
  quantityFunctions,
  addressFunctions,
  versionFunctions,
  urls,
  formats,
)
