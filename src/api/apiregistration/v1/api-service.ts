import { defineKind } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { invalidForEach, invalidValue, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { APIService, APIServiceSpec } from '../../types/apiregistration.v1.ts'
import { dns1035Label, dnsSubdomain, portNumber } from '../../meta/names.ts'

export const apiService = defineKind<APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  hasGeneration: false,
  setDefaults({ spec }) {
    if (spec?.service !== undefined) spec.service.port ??= httpsPort
  },
  prepareForCreate: (draft) => void (draft.status = {}),
  validate: validateApiService,
  cells: (apiService, nowMs) => {
    const { metadata, spec } = apiService
    return [
      metadata.name,
      spec.service === undefined ? 'Local' : `${spec.service.namespace}/${spec.service.name}`,
      availableCell(apiService),
      ageOf(metadata.creationTimestamp, nowMs),
    ]
  },
  requiresResourceVersion: true,
})

const httpsPort = 443

function availableCell({ status }: APIService): string {
  const available = status?.conditions?.find(({ type }) => type === 'Available')
  if (available === undefined) return 'Unknown'
  return available.status === 'True' ? 'True' : `${available.status} (${available.reason ?? ''})`
}

function validateApiService({ metadata, spec }: APIService): FieldError[] {
  const errors: FieldError[] = []
  const wanted = `${spec.version ?? ''}.${spec.group ?? ''}`
  if (metadata.name !== wanted) {
    const detail = `must be \`spec.version+"."+spec.group\`: "${wanted}"`
    errors.push(invalidValue('metadata.name', metadata.name, detail))
  }
  const { group = '', version = '' } = spec
  if (group === '' && version !== 'v1') {
    errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'))
  }
  if (group !== '') errors.push(...invalidForEach('spec.group', group, dnsSubdomain(group)))
  errors.push(...invalidForEach('spec.version', version, dns1035Label(version)))
  errors.push(...validatePriority(spec.groupPriorityMinimum, 20_000, 'spec.groupPriorityMinimum'))
  errors.push(...validatePriority(spec.versionPriority, 1000, 'spec.versionPriority'))
  return [...errors, ...validateBackend(spec)]
}

function validatePriority(value: number, max: number, path: string): FieldError[] {
  if (value > 0 && value <= max) return []
  return [invalidValue(path, value, `must be positive and less than ${max}`)]
}

function validateBackend({ service, caBundle, insecureSkipTLSVerify }: APIServiceSpec): FieldError[] {
  if (service === undefined) {
    const errors: FieldError[] = []
    if ((caBundle ?? '') !== '')
      errors.push(
        invalidValue(
          'spec.caBundle',
          `${Buffer.from(caBundle ?? '', 'base64').length} bytes`,
          'local APIServices may not have a caBundle',
        ),
      )
    if (insecureSkipTLSVerify === true) {
      errors.push(
        invalidValue('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify'),
      )
    }
    return errors
  }
  const errors: FieldError[] = []
  if ((service.namespace ?? '') === '') errors.push(required('spec.service.namespace'))
  if ((service.name ?? '') === '') errors.push(required('spec.service.name'))
  const badPort = portNumber(service.port ?? httpsPort).join(',')
  if (badPort !== '') errors.push(invalidValue('spec.service.port', service.port, `port is not valid: ${badPort}`))
  if (insecureSkipTLSVerify === true && (caBundle ?? '') !== '') {
    errors.push(invalidValue('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'))
  }
  return errors
}
