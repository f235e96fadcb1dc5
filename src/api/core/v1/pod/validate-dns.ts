import { invalidForEach, invalidValue, required } from '../../../meta/field-errors.ts'
import { dnsSubdomain } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import { validateIp } from '../../../meta/validate-ip.ts'
import type { PodSpec } from '../../../types/core.v1.ts'

const maxNameservers = 3
const maxSearches = 32
const maxSearchCharacters = 2048

/** `dnsConfig`, which the policy `None` needs. */
export function validateDns({ dnsPolicy, dnsConfig }: PodSpec, path: string): FieldError[] {
  const nameservers = dnsConfig?.nameservers ?? []
  if (dnsPolicy === 'None') {
    if (dnsConfig === undefined) return [required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')]
    if (nameservers.length === 0) {
      const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None'
      return [
        required(`${path}.nameservers`, detail),
        ...validateSearches(dnsConfig.searches ?? [], `${path}.searches`),
      ]
    }
  }
  if (dnsConfig === undefined) return []
  const errors: FieldError[] = []
  if (nameservers.length > maxNameservers) {
    errors.push(
      invalidValue(`${path}.nameservers`, nameservers, `must not have more than ${maxNameservers} nameservers`),
    )
  }
  for (const [index, server] of nameservers.entries()) {
    errors.push(...validateIp(server, `${path}.nameservers[${index}]`))
  }
  errors.push(...validateSearches(dnsConfig.searches ?? [], `${path}.searches`))
  for (const [index, { name }] of (dnsConfig.options ?? []).entries()) {
    if (name === undefined || name === '') errors.push(required(`${path}.options[${index}]`, 'must not be empty'))
  }
  return errors
}

export function validateHostAliases({ hostAliases }: PodSpec, path: string): FieldError[] {
  return (hostAliases ?? []).flatMap(({ ip, hostnames = [] }, index) => [
    ...validateIp(ip, `${path}[${index}].ip`),
    ...hostnames.flatMap((name) => invalidForEach(`${path}[${index}].hostnames`, name, dnsSubdomain(name))),
  ])
}

function validateSearches(searches: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = []
  if (searches.length > maxSearches) {
    errors.push(invalidValue(path, searches, `must not have more than ${maxSearches} search paths`))
  }
  if (searches.join(' ').length > maxSearchCharacters) {
    const detail = `must not have more than ${maxSearchCharacters} characters (including spaces) in the search list`
    errors.push(invalidValue(path, searches, detail))
  }
  for (const [index, search] of searches.entries()) {
    const name = search.replace(/\.$/, '').replaceAll('_', '-')
    if (search === '.' || name === '') continue
    errors.push(...invalidForEach(`${path}[${index}]`, search, dnsSubdomain(name)))
  }
  return errors
}
