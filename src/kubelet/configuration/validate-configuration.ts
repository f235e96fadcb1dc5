import { quantityToNumber } from '#api/meta/quantity.ts'
import { signalFacts } from '../eviction/signals.ts'
import { idUnit } from '../user-namespaces/node-ids.ts'
import type { KubeletConfiguration } from './kubelet-configuration.ts'
import { unsupportedFields } from './unsupported-fields.ts'
import { policyErrors } from './validate-policies.ts'

type Check = (configuration: KubeletConfiguration) => readonly string[]

/** What is wrong with a configuration whose fields all have their types, in upstream's words; empty: nothing. */
export function configurationErrors(configuration: KubeletConfiguration): readonly string[] {
  const errors = [...checks.flatMap((check) => check(configuration)), ...unsupportedFields(configuration)]
  return errors.map((error) => `invalid configuration: ${error}`)
}

const checks: readonly Check[] = [
  ranges,
  imageThresholds,
  pulls,
  shutdownPeriods,
  evictionThresholds,
  reservations,
  restartPeriod,
  containerLogs,
  userNamespaces,
  policyErrors,
]

function ranges(given: KubeletConfiguration): string[] {
  const { maxPods = 0, podsPerCore = 0, nodeStatusMaxImages = 0, nodeLeaseDurationSeconds = 40, port = 1 } = given
  const negative = (name: string, value: number): string[] =>
    value < 0 ? [`${name} ${value} must not be a negative number`] : []
  return [
    ...(nodeLeaseDurationSeconds > 0 ? [] : ['nodeLeaseDurationSeconds must be greater than 0']),
    ...negative('maxPods (--max-pods)', maxPods),
    ...negative('podsPerCore (--pods-per-core)', podsPerCore),
    ...(nodeStatusMaxImages < -1 ? ['nodeStatusMaxImages (--node-status-max-images) must be -1 or greater'] : []),
    ...(port >= 1 && port <= 65_535 ? [] : [`port (--port) ${port} must be between 1 and 65535, inclusive`]),
  ]
}

function imageThresholds(given: KubeletConfiguration): string[] {
  const { imageGCHighThresholdPercent: high = 85, imageGCLowThresholdPercent: low = 80 } = given
  const highName = 'imageGCHighThresholdPercent (--image-gc-high-threshold)'
  const lowName = 'imageGCLowThresholdPercent (--image-gc-low-threshold)'
  const outside = (name: string, value: number): string[] =>
    value >= 0 && value <= 100 ? [] : [`${name} ${value} must be between 0 and 100, inclusive`]
  return [
    ...outside(highName, high),
    ...outside(lowName, low),
    ...(low < high ? [] : [`${lowName} ${low} must be less than ${highName} ${high}`]),
  ]
}

function pulls({ serializeImagePulls = true, maxParallelImagePulls }: KubeletConfiguration): string[] {
  if (maxParallelImagePulls === undefined) return []
  if (maxParallelImagePulls < 1) return [`maxParallelImagePulls ${maxParallelImagePulls} must be a positive number`]
  return serializeImagePulls && maxParallelImagePulls > 1
    ? [
        'maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls (--serialize-image-pulls) set to false',
      ]
    : []
}

function shutdownPeriods(given: KubeletConfiguration): string[] {
  const { shutdownGracePeriod: total = 0, shutdownGracePeriodCriticalPods: critical = 0 } = given
  const errors: string[] = []
  if (critical > total)
    errors.push(`shutdownGracePeriodCriticalPods ${critical / 1000}s must be <= shutdownGracePeriod ${total / 1000}s`)
  if (total < 0 || (total > 0 && total < 1000))
    errors.push(`shutdownGracePeriod ${total / 1000}s must be either zero or otherwise >= 1 sec`)
  if (critical < 0 || (critical > 0 && critical < 1000))
    errors.push(`shutdownGracePeriodCriticalPods ${critical / 1000}s must be either zero or otherwise >= 1 sec`)
  if ((given.shutdownGracePeriodByPodPriority ?? []).length > 0 && (total > 0 || critical > 0))
    errors.push('Cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod at the same time')
  return errors
}

function evictionThresholds({ evictionHard, evictionSoft, evictionSoftGracePeriod }: KubeletConfiguration): string[] {
  const entries = [...Object.entries(evictionHard ?? {}), ...Object.entries(evictionSoft ?? {})]
  const wrong = entries.flatMap(([signal, value]) => {
    if (!(signal in signalFacts)) return [`unsupported eviction signal ${signal}`]
    return isThreshold(value)
      ? []
      : [`invalid eviction threshold ${signal}: "${value}" is neither a quantity nor a share`]
  })
  const withoutPeriod = Object.keys(evictionSoft ?? {}).filter(
    (signal) => evictionSoftGracePeriod?.[signal] === undefined,
  )
  return [
    ...wrong,
    ...withoutPeriod.map((signal) => `grace period must be specified for the soft eviction threshold ${signal}`),
  ]
}

function isThreshold(value: string): boolean {
  if (/^\d+(\.\d+)?%$/.test(value)) return Number(value.slice(0, -1)) <= 100
  return isQuantity(value)
}

function isQuantity(value: string): boolean {
  try {
    return quantityToNumber(value) >= 0
  } catch {
    return false
  }
}

function reservations(given: KubeletConfiguration): string[] {
  return (['systemReserved', 'kubeReserved'] as const).flatMap((name) =>
    Object.entries(given[name] ?? {}).flatMap(([resource, value]) => {
      if (!['cpu', 'memory', 'ephemeral-storage', 'pid'].includes(resource))
        return [`${name} may not reserve resource "${resource}"`]
      return isQuantity(value) ? [] : [`${name}: "${value}" of ${resource} is no quantity`]
    }),
  )
}

const longestRestartMs = 300_000

function restartPeriod({ crashLoopBackOff }: KubeletConfiguration): string[] {
  const period = crashLoopBackOff?.maxContainerRestartPeriod
  if (period === undefined || (period >= 1000 && period <= longestRestartMs)) return []
  return [`CrashLoopBackOff.MaxContainerRestartPeriod (got: ${period / 1000}s) must be set between 1s and 5m0s`]
}

function containerLogs({
  containerLogMaxFiles = 5,
  containerLogMonitorInterval = 10_000,
  containerLogMaxSize,
}: KubeletConfiguration): string[] {
  return [
    ...(containerLogMaxFiles > 1 ? [] : ['containerLogMaxFiles must be greater than 1']),
    ...(containerLogMonitorInterval >= 3000
      ? []
      : ['containerLogMonitorInterval must be a positive time duration greater than or equal to 3s']),
    ...(containerLogMaxSize === undefined || isQuantity(containerLogMaxSize)
      ? []
      : [`containerLogMaxSize "${containerLogMaxSize}" is no quantity`]),
  ]
}

function userNamespaces({ userNamespaces: given }: KubeletConfiguration): string[] {
  const idsPerPod = given?.idsPerPod ?? idUnit
  if (idsPerPod < idUnit || idsPerPod >= 2 ** 32)
    return [`userNamespaces.idsPerPod ${idsPerPod} must be between ${idUnit} and ${2 ** 32 - 1}, inclusive`]
  return idsPerPod % idUnit === 0 ? [] : [`kubelet user namespace length ${idsPerPod} is not a multiple of ${idUnit}`]
}
