import type { NameRule } from '../kind.ts'

/**
 * Rules for names and other short strings. Each returns what is wrong with a value, in the words of the API server and
 * in its order; an empty list means the value is fine.
 */
export type StringRule = (value: string) => string[]

const dns1123LabelFormat = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const dns1123SubdomainFormat = `${dns1123LabelFormat}(\\.${dns1123LabelFormat})*`
const qualifiedNameFormat = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'

/** `words (e.g. 'a',  or 'b', regex used for validation is '…')`: the odd comma is part of the known message. */
function explainPattern(words: string, format: string, ...examples: readonly string[]): string {
  const list = examples.map((example) => `'${example}', `).join(' or ')
  return examples.length === 0
    ? `${words} (regex used for validation is '${format}')`
    : `${words} (e.g. ${list}regex used for validation is '${format}')`
}

function patternRule(words: string, format: string, ...examples: readonly string[]): StringRule {
  const pattern = new RegExp(`^(?:${format})$`)
  const message = explainPattern(words, format, ...examples)
  return (value) => (pattern.test(value) && !value.endsWith('\n') ? [] : [message])
}

function limited(maxLength: number, unit: 'characters' | 'bytes', rule: StringRule): StringRule {
  return (value) => {
    const tooLong = value.length > maxLength || (unit === 'bytes' && byteLengthOf(value) > maxLength)
    return tooLong ? [`must be no more than ${maxLength} ${unit}`, ...rule(value)] : rule(value)
  }
}

/** Length of the UTF-8 encoding. */
export function byteLengthOf(text: string): number {
  return Buffer.byteLength(text)
}

const dnsLabelPattern = patternRule(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  dns1123LabelFormat,
  'my-name',
  '123-abc',
)

/** A subdomain in the place of a label is told that the dots are the matter. */
export const dnsLabel: StringRule = limited(63, 'characters', (value) => {
  const wrong = dnsLabelPattern(value)
  return wrong.length > 0 && dnsSubdomainPattern(value).length === 0 ? ['must not contain dots'] : wrong
})

const dnsSubdomainPattern = patternRule(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  dns1123SubdomainFormat,
  'example.com',
)

export const dnsSubdomain: StringRule = limited(253, 'characters', dnsSubdomainPattern)

const labelWithUnderscore = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?'

/** A subdomain in whose labels underscores may stand, as in search lists of resolvers. */
export const dnsSubdomainWithUnderscore: StringRule = limited(
  253,
  'characters',
  patternRule(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
    `${labelWithUnderscore}(\\.${labelWithUnderscore})*`,
    'example.com',
  ),
)

export const dns1035Label: StringRule = limited(
  63,
  'characters',
  patternRule(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
    '[a-z]([-a-z0-9]*[a-z0-9])?',
    'my-name',
    'abc-123',
  ),
)

export const wildcardDnsSubdomain: StringRule = limited(
  253,
  'characters',
  patternRule(
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
    `\\*\\.${dns1123SubdomainFormat}`,
    '*.example.com',
  ),
)

export const labelValue: StringRule = limited(
  63,
  'bytes',
  patternRule(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    `(${qualifiedNameFormat})?`,
    'MyValue',
    'my_value',
    '12345',
  ),
)

/** Names of things that become one segment of a URL path. */
export const pathSegment: StringRule = (value) => {
  if (value === '.' || value === '..') return [`may not be '${value}'`]
  return ['/', '%'].filter((bad) => value.includes(bad)).map((bad) => `may not contain '${bad}'`)
}

const namePart = patternRule(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  qualifiedNameFormat,
  'MyName',
  'my.name',
  '123-abc',
)

function prefixed(prefix: string, messages: readonly string[]): string[] {
  return messages.map((message) => `${prefix} ${message}`)
}

function qualifiedRule(subject: string): StringRule {
  const [wrongShape = ''] = prefixed(subject, namePart('/'))
  return (value) => {
    const parts = value.split('/')
    if (parts.length > 2)
      return [`${wrongShape} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`]
    const name = parts.at(-1) as string
    const messages: string[] = []
    if (parts.length === 2) messages.push(...prefixed('prefix part', prefixMessages(parts[0] as string)))
    if (name === '') messages.push('name part must be non-empty')
    else if (byteLengthOf(name) > 63) messages.push('name part must be no more than 63 bytes')
    return [...messages, ...prefixed('name part', namePart(name))]
  }
}

function prefixMessages(prefix: string): string[] {
  return prefix === '' ? ['must be non-empty'] : dnsSubdomain(prefix)
}

/** `name` or `example.com/name`: annotation keys, resource names, condition types. */
export const qualifiedName: StringRule = qualifiedRule('a qualified name')

/** The same rule in the words used for label keys. */
export const labelKey: StringRule = qualifiedRule('a valid label key')

/** A key of a ConfigMap or a Secret: it may become a file name. */
export const configMapKey: StringRule = (value) => {
  const messages = value.length > 253 ? ['must be no more than 253 characters'] : []
  return [...messages, ...configMapKeyPattern(value), ...parentFolderMessages(value)]
}

const configMapKeyPattern = patternRule(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  '[-._a-zA-Z0-9]+',
  'key.name',
  'KEY_NAME',
  'key-name',
)

function parentFolderMessages(value: string): string[] {
  if (value === '.') return ["must not be '.'"]
  if (value === '..') return ["must not be '..'"]
  return value.startsWith('..') ? ["must not start with '..'"] : []
}

/** Names of environment variables: any printable ASCII character but `=`. */
export const envVarName: StringRule = (value) => {
  if (value === '') return ['environment variable name must be non-empty']
  if (/^[ -<>-~]+$/.test(value)) return []
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

export const httpHeaderName: StringRule = patternRule(
  "a valid HTTP header must consist of alphanumeric characters or '-'",
  '[-A-Za-z0-9]+',
  'X-Header-Name',
)

/** Names of container and service ports (IANA service names). */
export const portName: StringRule = (value) => {
  const messages = value.length > 15 ? ['must be no more than 15 characters'] : []
  if (!/^[-a-z0-9]+$/.test(value))
    messages.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(value)) messages.push('must contain at least one letter (a-z)')
  if (value.includes('--')) messages.push('must not contain consecutive hyphens')
  if (value.startsWith('-') || value.endsWith('-')) messages.push('must not begin or end with a hyphen')
  return messages
}

/** Whether a number lies in a range, in the words of the API server. */
export function inRange(value: number, low: number, high: number): string[] {
  return value >= low && value <= high ? [] : [`must be between ${low} and ${high}, inclusive`]
}

export function portNumber(value: number): string[] {
  return inRange(value, 1, 65_535)
}

const nameRules: Readonly<Record<NameRule, StringRule>> = { dnsSubdomain, dnsLabel, dns1035Label, pathSegment }

/** What is wrong with `metadata.name`, or with a `generateName` prefix (which may end with a hyphen). */
export function checkName(rule: NameRule, name: string, isPrefix: boolean = false): string[] {
  const shown = isPrefix && rule !== 'pathSegment' && name.endsWith('-') ? `${name.slice(0, -1)}a` : name
  return nameRules[rule](shown)
}
