import { invalidValue, required, tooLong } from './field-errors.ts'
import { byteLengthOf, dnsLabel, dnsSubdomain } from './names.ts'
import type { FieldError } from './status.ts'

const longestDomain = 253
const longestLabel = 63
const longestName = longestDomain + 1 + longestDomain + longestLabel + 1

/** `example.com/signer-name`: who signs certificates. */
export function validateSignerName(name: string, path: string): FieldError[] {
  if (name === '') return [required(path)]
  const [domain = '', own = '', ...more] = name.split('/')
  if (!name.includes('/') || more.length > 0) {
    const detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
    return [invalidValue(path, name, detail)]
  }
  const errors = byteLengthOf(domain) > longestDomain ? [tooLong(path, longestDomain)] : []
  errors.push(...wrongLabels(domain, dnsLabel, path))
  if (!domain.includes('.')) {
    errors.push(invalidValue(path, domain, 'should be a domain with at least two segments separated by dots'))
  }
  errors.push(...wrongLabels(own, dnsSubdomain, path))
  if (byteLengthOf(name) > longestName) errors.push(tooLong(path, longestName))
  return errors
}

/** What is wrong with the first label that is. */
function wrongLabels(text: string, rule: (label: string) => string[], path: string): FieldError[] {
  for (const label of text.split('.')) {
    const messages = rule(label)
    if (messages.length === 0) continue
    return messages.map((message) => invalidValue(path, text, `validating label "${label}": ${message}`))
  }
  return []
}

/** Signers of the Kubernetes project itself, which keep to shorter lives. */
export function isKubernetesSigner(name: string): boolean {
  const [domain = ''] = name.split('/')
  return domain === 'kubernetes.io' || domain.endsWith('.kubernetes.io')
}
