import { defineKind } from '../../kind.ts'
import { validatePort } from '../../meta/check-numbers.ts'
import { ageOf } from '../../meta/duration.ts'
import { invalidForEach, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { dnsLabel, dnsSubdomain, portName, wildcardDnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateIp } from '../../meta/validate-ip.ts'
import type { HTTPIngressPath, Ingress, IngressBackend, IngressRule } from '../../types/networking.v1.ts'
import { validateTypedReference } from './validate-typed-reference.ts'

export const ingress = defineKind<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  hasGeneration: true,
  prepareForCreate: (draft) => void (draft.status = { loadBalancer: {} }),
  validate: (ingress) => [...validateIngress(ingress), ...validateClassAnnotation(ingress)],
  validateUpdate: validateIngress,
  validatesUpdateAlone: true,
  validateStatusUpdate: validateStatus,
  warnings: ({ metadata, spec }, old) =>
    old === undefined && metadata.annotations?.[classAnnotation] !== undefined && spec.ingressClassName === undefined
      ? [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]
      : [],
  cells: (ingress, nowMs) => [
    ingress.metadata.name,
    ingress.spec.ingressClassName ?? '<none>',
    hostsCell(ingress.spec.rules ?? []),
    addressCell(ingress),
    (ingress.spec.tls ?? []).length > 0 ? '80, 443' : '80',
    ageOf(ingress.metadata.creationTimestamp, nowMs),
  ],
})

const classAnnotation = 'kubernetes.io/ingress.class'

function validateClassAnnotation({ metadata, spec }: Ingress): FieldError[] {
  const annotation = metadata.annotations?.[classAnnotation]
  const { ingressClassName } = spec
  if (annotation === undefined || ingressClassName === undefined || annotation === ingressClassName) return []
  const detail = 'must match `ingressClassName` when both are specified'
  return [invalidValue(`annotations.${classAnnotation}`, annotation, detail)]
}

const shownHosts = 3

function hostsCell(rules: readonly IngressRule[]): string {
  const hosts = rules.flatMap(({ host }) => (host ? [host] : []))
  if (hosts.length === 0) return '*'
  const shown = hosts.slice(0, shownHosts).join(',')
  return hosts.length > shownHosts ? `${shown} + ${hosts.length - shownHosts} more...` : shown
}

function addressCell({ status }: Ingress): string {
  const addresses = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || (hostname ?? ''))
  return [...new Set(addresses.filter((address) => address !== ''))].sort().join(',')
}

function validateIngress({ spec }: Ingress): FieldError[] {
  const { rules = [], defaultBackend, ingressClassName } = spec
  const errors: FieldError[] = []
  if (rules.length === 0 && defaultBackend === undefined) {
    errors.push(invalidValue('spec', null, 'either `defaultBackend` or `rules` must be specified'))
  }
  if (defaultBackend !== undefined) errors.push(...validateBackend(defaultBackend, 'spec.defaultBackend'))
  for (const [index, rule] of rules.entries()) errors.push(...validateRule(rule, `spec.rules[${index}]`))
  for (const [index, { hosts, secretName }] of (spec.tls ?? []).entries()) {
    const path = `spec.tls[${index}]`
    for (const [hostIndex, host] of (hosts ?? []).entries()) {
      errors.push(...validateHost(host, `${path}.hosts[${hostIndex}]`))
    }
    if (secretName) errors.push(...invalidForEach(`${path}.secretName`, secretName, dnsSubdomain(secretName)))
  }
  if (ingressClassName !== undefined) {
    errors.push(...invalidForEach('spec.ingressClassName', ingressClassName, dnsSubdomain(ingressClassName)))
  }
  return errors
}

function validateHost(host: string, path: string): FieldError[] {
  return invalidForEach(path, host, host.includes('*') ? wildcardDnsSubdomain(host) : dnsSubdomain(host))
}

function validateRule({ host = '', http }: IngressRule, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (host !== '') {
    if (validateIp(host, path).length === 0) {
      errors.push(invalidValue(`${path}.host`, host, 'must be a DNS name, not an IP address'))
    }
    errors.push(...validateHost(host, `${path}.host`))
  }
  if (http === undefined) return errors
  if ((http.paths ?? []).length === 0) return [...errors, required(`${path}.http.paths`)]
  return [...errors, ...http.paths.flatMap((one, index) => validatePath(one, `${path}.http.paths[${index}]`))]
}

const badSequences = ['//', '/./', '/../', '%2f', '%2F']
const badEndings = ['/..', '/.']

function validatePath({ path: value = '', pathType, backend }: HTTPIngressPath, path: string): FieldError[] {
  const type: string = pathType ?? ''
  if (type === '') return [required(`${path}.pathType`, 'pathType must be specified')]
  const errors: FieldError[] = []
  const absolute = value.startsWith('/')
  if (type === 'Exact' || type === 'Prefix') {
    if (!absolute) errors.push(invalidValue(`${path}.path`, value, 'must be an absolute path'))
    for (const bad of badSequences) {
      if (value.includes(bad)) errors.push(invalidValue(`${path}.path`, value, `must not contain '${bad}'`))
    }
    for (const bad of badEndings) {
      if (value.endsWith(bad)) errors.push(invalidValue(`${path}.path`, value, `cannot end with '${bad}'`))
    }
  } else if (type === 'ImplementationSpecific') {
    if (value !== '' && !absolute) errors.push(invalidValue(`${path}.path`, value, 'must be an absolute path'))
  } else errors.push(notSupported(`${path}.pathType`, type, ['Exact', 'ImplementationSpecific', 'Prefix']))
  return [...errors, ...validateBackend(backend, `${path}.backend`)]
}

function validateBackend({ resource, service }: IngressBackend, path: string): FieldError[] {
  if (resource !== undefined && service !== undefined) {
    return [invalidValue(path, '', 'cannot set both resource and service backends')]
  }
  if (resource !== undefined) return validateTypedReference(resource, `${path}.resource`)
  if (service === undefined) return [invalidValue(path, '', 'resource or service backend is required')]
  return validateServiceBackend(service, path)
}

function validateServiceBackend(service: NonNullable<IngressBackend['service']>, path: string): FieldError[] {
  const { name, port } = service
  const errors =
    name === '' ? [required(`${path}.service.name`)] : invalidForEach(`${path}.service.name`, name, dnsLabel(name))
  const { name: byName = '', number: byNumber = 0 } = port ?? {}
  if (byName !== '' && byNumber !== 0)
    return [...errors, invalidValue(path, '', 'cannot set both port name & port number')]
  if (byName !== '') return [...errors, ...invalidForEach(`${path}.service.port.name`, byName, portName(byName))]
  if (byNumber !== 0) return [...errors, ...validatePort(byNumber, `${path}.service.port.number`)]
  return [...errors, required(path, 'port name or number is required')]
}

function validateStatus({ status }: Ingress): FieldError[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = '', hostname = '' }, index) => {
    const path = `status.loadBalancer.ingress[${index}]`
    const errors = ip === '' ? [] : validateIp(ip, `${path}.ip`)
    if (hostname === '') return errors
    errors.push(...invalidForEach(`${path}.hostname`, hostname, dnsSubdomain(hostname)))
    if (validateIp(hostname, path).length > 0) return errors
    return [...errors, invalidValue(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address')]
  })
}
