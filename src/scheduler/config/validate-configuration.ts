import { duplicate, invalidForEach, invalidValue, required } from '#api/meta/field-errors.ts'
import { qualifiedName } from '#api/meta/names.ts'
import type { FieldError } from '#api/meta/status.ts'
import { extensionPoints } from '../extension-points.ts'
import type { ConfigurationFile, ExtenderEntry, ProfileEntry } from './configuration-file.ts'
import { readArguments } from './plugin-arguments.ts'

/** What is wrong with a configuration, in the words of kube-scheduler. */
export function validateConfiguration(file: ConfigurationFile): readonly FieldError[] {
  const { leaderElection, parallelism, profiles, podInitialBackoffSeconds: initial, podMaxBackoffSeconds: most } = file
  const { leaderElect, resourceLock = 'leases' } = leaderElection ?? {}
  const badLock = leaderElect === true && resourceLock !== 'leases'
  return [
    ...(badLock
      ? [invalidValue('leaderElection.resourceLock', resourceLock, 'resourceLock value must be "leases"')]
      : []),
    ...(parallelism > 0
      ? []
      : [invalidValue('parallelism', parallelism, 'should be an integer value greater than zero')]),
    ...profiles.flatMap((profile, index) => validateProfile(profile, profiles, index)),
    ...validateQueueSort(profiles),
    ...validatePercentage(file.percentageOfNodesToScore, 'percentageOfNodesToScore'),
    ...(initial > 0 ? [] : [invalidValue('podInitialBackoffSeconds', initial, 'must be greater than 0')]),
    ...(most >= initial
      ? []
      : [invalidValue('podMaxBackoffSeconds', most, 'must be greater than or equal to PodInitialBackoffSeconds')]),
    ...validateExtenders(file.extenders),
  ]
}

function validatePercentage(percentage: number | undefined, path: string): readonly FieldError[] {
  if (percentage === undefined || (percentage >= 0 && percentage <= 100)) return []
  return [invalidValue(path, percentage, 'not in valid range [0-100]')]
}

function validateProfile(profile: ProfileEntry, all: readonly ProfileEntry[], index: number): readonly FieldError[] {
  const path = `profiles[${index}]`
  const { schedulerName, percentageOfNodesToScore, pluginConfig } = profile
  const earlier = all.slice(0, index).findIndex((other) => other.schedulerName === schedulerName)
  return [
    ...(schedulerName === '' ? [required(`${path}.schedulerName`)] : []),
    ...validatePercentage(percentageOfNodesToScore, `${path}.percentageOfNodesToScore`),
    ...validateRemoved(profile, path),
    ...pluginConfig.flatMap(({ name, args }, at) => {
      const isRepeated = pluginConfig.slice(0, at).some((other) => other.name === name)
      const here = `${path}.pluginConfig[${at}]`
      return [...(isRepeated ? [duplicate(here, name)] : []), ...readArguments(name, args, `${here}.args`).errors]
    }),
    ...(earlier < 0 ? [] : [duplicate(`${path}.schedulerName`, `profiles[${earlier}].schedulerName`)]),
  ]
}

/** Plugins that v1 of the configuration no longer has. */
const removed = new Set(['AzureDiskLimits', 'CinderLimits', 'EBSLimits', 'GCEPDLimits'])

function validateRemoved({ plugins }: ProfileEntry, path: string): readonly FieldError[] {
  return extensionPoints.flatMap((point) =>
    (plugins?.[point]?.enabled ?? []).flatMap(({ name }, index) =>
      removed.has(name)
        ? [
            invalidValue(
              `${path}.plugins.${point}.enabled[${index}]`,
              name,
              'was invalid in version "v1" (KubeSchedulerConfiguration is version "kubescheduler.config.k8s.io/v1")',
            ),
          ]
        : [],
    ),
  )
}

function validateQueueSort(profiles: readonly ProfileEntry[]): readonly FieldError[] {
  const [first] = profiles
  const sorts = first?.plugins?.queueSort?.enabled?.length ?? 0
  const tooMany = invalidValue(
    'profiles[0].plugins.queueSort.Enabled',
    sorts,
    'only one queue sort plugin can be enabled',
  )
  const usual = JSON.stringify(first?.plugins?.queueSort ?? {})
  return [
    ...(sorts > 1 ? [tooMany] : []),
    ...profiles.flatMap(({ plugins }, index) =>
      JSON.stringify(plugins?.queueSort ?? {}) === usual
        ? []
        : [
            invalidValue(
              `profiles[${index}].plugins.queueSort`,
              plugins?.queueSort ?? {},
              'must be the same for all profiles',
            ),
          ],
    ),
  ]
}

function validateExtenders(extenders: readonly ExtenderEntry[]): readonly FieldError[] {
  const managed = new Set<string>()
  const binders = extenders.filter(({ bindVerb = '' }) => bindVerb !== '').length
  const errors = extenders.flatMap((extender, index) => validateExtender(extender, `extenders[${index}]`, managed))
  if (binders < 2) return errors
  const found = `found ${binders} extenders implementing bind`
  return [...errors, invalidValue('extenders', found, 'only one extender can implement bind')]
}

function validateExtender(extender: ExtenderEntry, path: string, managed: Set<string>): readonly FieldError[] {
  const { prioritizeVerb = '', weight = 0, managedResources = [] } = extender
  return [
    ...(prioritizeVerb !== '' && weight <= 0
      ? [invalidValue(`${path}.weight`, weight, 'must have a positive weight applied to it')]
      : []),
    ...managedResources.flatMap(({ name }, index) => {
      const at = `${path}.managedResources[${index}].name`
      const isRepeated = managed.has(name)
      managed.add(name)
      return [
        ...validateExtendedResource(name, at),
        ...(isRepeated ? [invalidValue(at, name, 'duplicate extender managed resource name')] : []),
      ]
    }),
  ]
}

function validateExtendedResource(name: string, path: string): readonly FieldError[] {
  const malformed = invalidForEach(path, name, qualifiedName(name))
  if (malformed.length > 0) return malformed
  const isExtended = name.includes('/') && !/(^|\.)kubernetes\.io\//.test(name) && !name.startsWith('requests.')
  return isExtended ? [] : [invalidValue(path, name, 'is an invalid extended resource name')]
}
