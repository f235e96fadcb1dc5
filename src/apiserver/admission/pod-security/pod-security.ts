import { invalid, type FieldError } from '#api/meta/status.ts'
import type { Namespace, Pod, PodTemplateSpec } from '#api/types/core.v1.ts'
import { namespaces } from '#api/types/resources.ts'
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from '../admission.ts'
import { refuse } from '../refuse.ts'
import { violations, type Level } from './levels.ts'
import { partsOf, type PodParts } from './pod-parts.ts'

const prefix = 'pod-security.kubernetes.io/'
const modes = ['enforce', 'audit', 'warn'] as const
const levels: readonly string[] = ['privileged', 'baseline', 'restricted']
const versionPattern = /^(latest|v1\.(0|[1-9]\d*))$/

interface Policy {
  readonly level: Level
  readonly version: string
}

/**
 * Holds pods to the level that their namespace's labels ask for (KEP-2579): refuses by `enforce`, warns by `warn`. Templates of
 * workloads are only warned about. Every version is judged by today's checks.
 */
export const podSecurity: AdmissionPlugin = {
  name: 'PodSecurity',
  resources: [
    'pods',
    'namespaces',
    'replicationcontrollers',
    'podtemplates',
    'apps/deployments',
    'apps/replicasets',
    'apps/statefulsets',
    'apps/daemonsets',
    'batch/jobs',
    'batch/cronjobs',
  ],
  operations: ['CREATE', 'UPDATE'],
  subresources: ['ephemeralcontainers'],
  validate(request, context) {
    if (request.info.resource === 'namespaces') return checkLabels(request)
    if (request.info.resource === 'pods') return checkPod(request, context)
    const template = templateOf(request.object)
    const warn = policyOf(request, context, 'warn')
    if (template?.spec !== undefined)
      warnAbout(request, { annotations: template.metadata?.annotations ?? {}, spec: template.spec }, warn)
  },
}

function checkPod(request: AdmissionRequest, context: AdmissionContext): void {
  if (request.operation === 'UPDATE' && request.info.subresource !== 'ephemeralcontainers') return
  const parts = partsOf(request.object as Pod)
  if (parts === undefined) return
  const enforce = policyOf(request, context, 'enforce')
  const found = violations(parts, enforce.level)
  if (found !== '') throw refuse(request, `violates PodSecurity "${enforce.level}:${enforce.version}": ${found}`)
  warnAbout(request, parts, policyOf(request, context, 'warn'))
}

function warnAbout(request: AdmissionRequest, parts: PodParts, { level, version }: Policy): void {
  const found = request.warn === undefined ? '' : violations(parts, level)
  if (found !== '') request.warn?.(`would violate PodSecurity "${level}:${version}": ${found}`)
}

/** The namespace's policy; a label that cannot be read means the strictest level, and a missing namespace no policy. */
function policyOf({ info }: AdmissionRequest, { reader }: AdmissionContext, mode: (typeof modes)[number]): Policy {
  const labels = reader.get(namespaces, info.namespace)?.metadata.labels
  const level = labels?.[`${prefix}${mode}`] ?? 'privileged'
  const version = labels?.[`${prefix}${mode}-version`] ?? 'latest'
  return {
    level: levels.includes(level) ? (level as Level) : 'restricted',
    version: versionPattern.test(version) ? version : 'latest',
  }
}

function checkLabels({ object, oldObject }: AdmissionRequest): void {
  const namespace = object as unknown as Namespace
  const errors = modes.flatMap((mode) => [
    ...labelError(namespace, oldObject, `${prefix}${mode}`, (value) =>
      levels.includes(value) ? undefined : `must be one of ${levels.join(', ')}`,
    ),
    ...labelError(namespace, oldObject, `${prefix}${mode}-version`, (value) =>
      versionPattern.test(value) ? undefined : 'must be "latest" or "v1.x"',
    ),
  ])
  if (errors.length > 0) throw invalid({ group: '', kind: 'Namespace', name: namespace.metadata.name }, errors)
}

function labelError(
  { metadata }: Namespace,
  old: AdmissionRequest['oldObject'],
  key: string,
  problemOf: (value: string) => string | undefined,
): FieldError[] {
  const value = metadata.labels?.[key]
  const problem = value === undefined || value === old?.metadata.labels?.[key] ? undefined : problemOf(value)
  if (problem === undefined) return []
  const message = `Invalid value: ${JSON.stringify(value)}: ${problem}`
  return [{ type: 'FieldValueInvalid', field: `metadata.labels[${key}]`, message }]
}

/** Where workloads keep their pod template. */
function templateOf(object: unknown): PodTemplateSpec | undefined {
  interface Workload {
    readonly template?: PodTemplateSpec
    readonly spec?: {
      readonly template?: PodTemplateSpec
      readonly jobTemplate?: { readonly spec?: { readonly template?: PodTemplateSpec } }
    }
  }
  const { template, spec } = object as Workload
  return template ?? spec?.template ?? spec?.jobTemplate?.spec?.template
}
