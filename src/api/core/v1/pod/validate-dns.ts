import { invalidForEach, invalidValue, required } from '../../../meta/field-errors.ts'
import { dnsSubdomain, dnsSubdomainWithUnderscore } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import { validateIp } from '../../../meta/validate-ip.ts'
import type { HostAlias, PodSpec } from '../../../types/core.v1.ts'

const maxNameservers = 3
const maxSearches = 32
const maxSearchCharacters = 2048

/** `dnsConfig`, which the policy `None` needs. */
export function validateDns({ dnsPolicy, dnsConfig }: PodSpec, path: string): FieldError[] {
  if (dnsConfig === undefined) {
    return dnsPolicy === 'None' ? [required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')] : []
  }
  const { nameservers = [], searches = [], options = [] } = dnsConfig
  if (dnsPolicy === 'None' && nameservers.length === 0) {
    const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None'
    return [required(`${path}.nameservers`, detail)]
  }
  const errors: FieldError[] = []
  if (nameservers.length > maxNameservers) {
    const detail = `must not have more than ${maxNameservers} nameservers`
    errors.push(invalidValue(`${path}.nameservers`, nameservers, detail))
  }
  for (const [index, server] of nameservers.entries()) {
    errors.push(...validateIp(server, `${path}.nameservers[${index}]`))
  }
  errors.push(...validateSearches(searches, `${path}.searches`))
  for (const [index, { name = '' }] of options.entries()) {
    if (name === '') errors.push(required(`${path}.options[${index}]`, 'must not be empty'))
  }
  return errors
}

export function validateHostAliases({ hostAliases }: PodSpec, path: string): FieldError[] {
  return (hostAliases ?? []).flatMap(({ ip = '', hostnames = [] }: Partial<HostAlias>, index) => [
    ...validateIp(ip, `${path}[${index}].ip`),
    ...hostnames.flatMap((name, at) => invalidForEach(`${path}[${index}].hostnames[${at}]`, name, dnsSubdomain(name))),
  ])
}

function validateSearches(searches: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = []
  if (searches.length > maxSearches) {
    errors.push(invalidValue(path, searches, `must not have more than ${maxSearches} search paths`))
  }
  if (Buffer.byteLength(searches.join(' ')) > maxSearchCharacters) {
    const detail = `must not have more than ${maxSearchCharacters} characters (including spaces) in the search list`
    errors.push(invalidValue(path, searches, detail))
  }
  for (const [index, search] of searches.entries()) {
    if (search === '.') continue
    const name = search.replace(/\.$/, '')
    errors.push(...invalidForEach(`${path}[${index}]`, name, dnsSubdomainWithUnderscore(name)))
  }
  return errors
}
