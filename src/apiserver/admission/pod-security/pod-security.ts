import { invalid, type FieldError } from '#api/meta/status.ts'
import type { Namespace, Pod, PodTemplateSpec } from '#api/types/core.v1.ts'
import { namespaces, pods } from '#api/types/resources.ts'
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from '../admission.ts'
import { refuse } from '../refuse.ts'
import { violations, violationsOf, type Level } from './levels.ts'
import { containersOf, partsOf, type PodParts } from './pod-parts.ts'

const prefix = 'pod-security.kubernetes.io/'
const modes = ['enforce', 'audit', 'warn'] as const
const levels: readonly string[] = ['privileged', 'baseline', 'restricted']
const versionPattern = /^(latest|v1\.(0|[1-9]\d*))$/

interface Policy {
  readonly level: Level
  /** `latest` or `v1.31`, as the labels have it. */
  readonly version: string
}

/**
 * Holds pods to the level that their namespace's labels ask for (KEP-2579): refuses by `enforce`, warns by `warn`. Templates of
 * workloads are only warned about, and so are the pods of a namespace that is given a stricter level.
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
    if (request.info.resource === 'namespaces') return checkNamespace(request, context)
    if (request.info.resource === 'pods') return checkPod(request, context)
    const template = templateOf(request.object)
    const warn = policyOf(request, context, 'warn')
    if (template?.spec !== undefined)
      warnAbout(request, { annotations: template.metadata?.annotations ?? {}, spec: template.spec }, warn)
  },
}

function checkPod(request: AdmissionRequest, context: AdmissionContext): void {
  if (request.operation === 'UPDATE' && !isSignificant(request)) return
  const parts = partsOf(request.object as Pod)
  if (parts === undefined) return
  const enforce = policyOf(request, context, 'enforce')
  const found = violations(parts, enforce.level, minorOf(enforce))
  if (found !== '') throw refuse(request, `violates PodSecurity "${enforce.level}:${enforce.version}": ${found}`)
  warnAbout(request, parts, policyOf(request, context, 'warn'))
}

/** Whether an update may turn an obedient pod into one that is not: only images can, and what annotations once said. */
function isSignificant({ info, object, oldObject }: AdmissionRequest): boolean {
  if (info.subresource === 'ephemeralcontainers') return true
  const [now, old] = [object, oldObject].map((pod) => partsOf(pod as Pod))
  if (now === undefined || old === undefined) return false
  const imagesOf = ({ spec }: PodParts): string =>
    JSON.stringify(containersOf(spec).map(({ name, image }) => [name, image]))
  const profilesOf = ({ annotations }: PodParts): string =>
    JSON.stringify(
      Object.entries(annotations)
        .filter(([key]) => profileAnnotation.test(key))
        .map((entry) => entry.join('='))
        .toSorted(),
    )
  return imagesOf(now) !== imagesOf(old) || profilesOf(now) !== profilesOf(old)
}

const profileAnnotation = /^(container\.)?(apparmor|seccomp)\.(security\.(alpha|beta)\.kubernetes\.io)/

function warnAbout(request: AdmissionRequest, parts: PodParts, policy: Policy): void {
  const { level, version } = policy
  const found = request.warn === undefined ? '' : violations(parts, level, minorOf(policy))
  if (found !== '') request.warn?.(`would violate PodSecurity "${level}:${version}": ${found}`)
}

/** The namespace's policy; a label that cannot be read means the strictest level, and a missing namespace no policy. */
function policyOf({ info }: AdmissionRequest, { reader }: AdmissionContext, mode: (typeof modes)[number]): Policy {
  return policyIn(reader.get(namespaces, info.namespace)?.metadata.labels, mode)
}

function policyIn(labels: Readonly<Record<string, string>> | undefined, mode: (typeof modes)[number]): Policy {
  const level = labels?.[`${prefix}${mode}`] ?? 'privileged'
  const version = labels?.[`${prefix}${mode}-version`] ?? 'latest'
  return {
    level: levels.includes(level) ? (level as Level) : 'restricted',
    version: versionPattern.test(version) ? version : 'latest',
  }
}

/** After every version that a check came or went with. */
const latestMinor = Number.MAX_SAFE_INTEGER

function minorOf({ version }: Policy): number {
  return version === 'latest' ? latestMinor : Number(version.slice('v1.'.length))
}

function checkNamespace(request: AdmissionRequest, context: AdmissionContext): void {
  checkLabels(request)
  if (request.operation !== 'UPDATE' || request.warn === undefined) return
  const enforce = policyIn(request.object?.metadata.labels, 'enforce')
  const before = policyIn(request.oldObject?.metadata.labels, 'enforce')
  const isStricter = levels.indexOf(enforce.level) > levels.indexOf(before.level)
  if (enforce.level === 'privileged' || (!isStricter && enforce.version === before.version)) return
  const name = request.object?.metadata.name ?? ''
  const found = existingViolations(context.reader.list(pods, name), enforce)
  if (found.length === 0) return
  const policy = `${enforce.level}:${enforce.version}`
  request.warn(
    `existing pods in namespace ${JSON.stringify(name)} violate the new PodSecurity enforce level "${policy}"`,
  )
  for (const warning of found) request.warn(warning)
}

/** More pods than this are not looked at: the namespace's writer waits for the answer. */
const maxPodsToCheck = 3_000

/** `web (and 2 other pods): privileged, hostPort`: pods that violate the same are told together. */
function existingViolations(existing: readonly Pod[], policy: Policy): readonly string[] {
  const groups = new Map<string, { readonly name: string; count: number }>()
  for (const pod of existing.slice(0, maxPodsToCheck)) {
    const parts = partsOf(pod)
    const found = parts === undefined ? [] : violationsOf(parts, policy.level, minorOf(policy))
    if (found.length === 0) continue
    const reasons = found.map(({ reason }) => reason).join(', ')
    const group = groups.get(reasons)
    if (group === undefined) groups.set(reasons, { name: pod.metadata.name, count: 1 })
    else group.count++
  }
  return [...groups].map(([reasons, { name, count }]) => `${name}${othersText(count - 1)}: ${reasons}`).toSorted()
}

function othersText(others: number): string {
  if (others === 0) return ''
  return others === 1 ? ' (and 1 other pod)' : ` (and ${others} other pods)`
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
