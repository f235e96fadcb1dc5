import { isAbsolute, normalize } from 'node:path'
import { quantityToNumber } from '#api/meta/quantity.ts'
import { labelValue, qualifiedName } from '#api/meta/names.ts'
import { formatDuration } from '#lib/go-duration.ts'
import { signalFacts } from '../eviction/signals.ts'
import { idUnit } from '../user-namespaces/node-ids.ts'
import { withDefaults, type SettledConfiguration } from './default-configuration.ts'
import { featureGateErrors } from './feature-gates.ts'
import type { KubeletConfiguration } from './kubelet-configuration.ts'
import { tlsErrors } from '../server/tls-settings.ts'
import { refusedFields } from './refused-fields.ts'
import { loggingErrors } from './validate-logging.ts'
import { policyErrors } from './validate-policies.ts'

type Check = (configuration: SettledConfiguration) => readonly string[]

/** What is wrong with a configuration whose fields all have their types, in upstream's words; empty: nothing. */
export function configurationErrors(given: KubeletConfiguration): readonly string[] {
  const configuration = withDefaults(given)
  const errors = [...checks.flatMap((check) => check(configuration)), ...tlsErrors(given), ...refusedFields(given)]
  return [
    ...featureGateErrors(given.featureGates),
    ...errors.map((error) => `invalid configuration: ${error}`),
    ...taints(given),
    ...loggingErrors(given),
  ]
}

const checks: readonly Check[] = [
  ranges,
  imageThresholds,
  imageAges,
  pulls,
  imageCredentials,
  shutdownPeriods,
  evictionThresholds,
  reservations,
  restartPeriod,
  containerLogs,
  userNamespaces,
  podLogs,
  choices,
  policyErrors,
]

/** Fields that are amounts, and the flag that each once was. */
const amounts: readonly (readonly [name: keyof KubeletConfiguration, flag: string])[] = [
  ['eventBurst', 'event-burst'],
  ['eventRecordQPS', 'event-qps'],
  ['kubeAPIBurst', 'kube-api-burst'],
  ['kubeAPIQPS', 'kube-api-qps'],
  ['maxOpenFiles', 'max-open-files'],
  ['maxPods', 'max-pods'],
  ['podsPerCore', 'pods-per-core'],
  ['registryBurst', 'registry-burst'],
  ['registryPullQPS', 'registry-qps'],
]

/** Fields with a first and a last value. */
const bounds: readonly (readonly [name: keyof KubeletConfiguration, flag: string, first: number, last: number])[] = [
  ['healthzPort', 'healthz-port', 1, 65_535],
  ['port', 'port', 1, 65_535],
  ['readOnlyPort', 'read-only-port', 0, 65_535],
  ['oomScoreAdj', 'oom-score-adj', -1000, 1000],
  ['iptablesDropBit', 'iptables-drop-bit', 0, 31],
  ['iptablesMasqueradeBit', 'iptables-masquerade-bit', 0, 31],
  ['imageGCHighThresholdPercent', 'image-gc-high-threshold', 0, 100],
  ['imageGCLowThresholdPercent', 'image-gc-low-threshold', 0, 100],
]

function ranges(given: SettledConfiguration): string[] {
  const { nodeStatusMaxImages, nodeLeaseDurationSeconds, memoryThrottlingFactor: factor, cpuCFSQuotaPeriod } = given
  const numberOf = (name: keyof KubeletConfiguration): number => (given[name] as number | undefined) ?? 0
  const isOff = (name: string, value: number): boolean => name.endsWith('Port') && value === 0
  return [
    ...(nodeLeaseDurationSeconds > 0 ? [] : ['nodeLeaseDurationSeconds must be greater than 0']),
    ...amounts
      .filter(([name]) => numberOf(name) < 0)
      .map(([name, flag]) => `${name} (--${flag}) ${numberOf(name)} must not be a negative number`),
    ...bounds
      .map(([name, flag, first, last]) => ({ name, flag, first, last, value: numberOf(name) }))
      .filter(({ name, value, first, last }) => !isOff(name, value) && (value < first || value > last))
      .map(({ name, flag, first, last, value }) => {
        return `${name} (--${flag}) ${value} must be between ${first} and ${last}, inclusive`
      }),
    ...(nodeStatusMaxImages < -1
      ? [`nodeStatusMaxImages (--node-status-max-images) ${nodeStatusMaxImages} must be -1 or greater`]
      : []),
    ...(cpuCFSQuotaPeriod >= 1 && cpuCFSQuotaPeriod <= 1000
      ? []
      : [
          `cpuCFSQuotaPeriod (--cpu-cfs-quota-period) ${formatDuration(cpuCFSQuotaPeriod)} must be between 1ms and 1sec, inclusive`,
        ]),
    ...(factor > 0 && factor <= 1
      ? []
      : [`memoryThrottlingFactor ${factor} must be greater than 0 and less than or equal to 1.0`]),
  ]
}

function imageThresholds({
  imageGCHighThresholdPercent: high,
  imageGCLowThresholdPercent: low,
}: SettledConfiguration): string[] {
  const highName = 'imageGCHighThresholdPercent (--image-gc-high-threshold)'
  const lowName = 'imageGCLowThresholdPercent (--image-gc-low-threshold)'
  return low < high ? [] : [`${lowName} ${low} must be less than ${highName} ${high}`]
}

function imageAges({ imageMinimumGCAge: least, imageMaximumGCAge: most = 0 }: SettledConfiguration): string[] {
  const negative = (name: string, ageMs: number): string[] =>
    ageMs < 0 ? [`${name} ${formatDuration(ageMs)} must not be negative`] : []
  return [
    ...negative('imageMinimumGCAge', least),
    ...negative('imageMaximumGCAge', most),
    ...(most > 0 && most <= least
      ? [`imageMaximumGCAge ${formatDuration(most)} must be greater than imageMinimumGCAge ${formatDuration(least)}`]
      : []),
  ]
}

function pulls({ serializeImagePulls, maxParallelImagePulls }: SettledConfiguration): string[] {
  if (maxParallelImagePulls === undefined) return []
  if (maxParallelImagePulls < 1) return [`maxParallelImagePulls ${maxParallelImagePulls} must be a positive number`]
  return serializeImagePulls && maxParallelImagePulls > 1
    ? [
        'maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls (--serialize-image-pulls) set to false',
      ]
    : []
}

const allowlistPolicy = 'NeverVerifyAllowlistedImages'
const credentialPolicies = ['NeverVerify', 'NeverVerifyPreloadedImages', allowlistPolicy, 'AlwaysVerify']

function imageCredentials({
  imagePullCredentialsVerificationPolicy: policy,
  preloadedImagesVerificationAllowlist: allowed = [],
}: SettledConfiguration): string[] {
  const patterns = allowed.flatMap((pattern) => imagePatternErrors(pattern))
  return [
    ...unless('imagePullCredentialsVerificationPolicy', policy, credentialPolicies),
    ...(allowed.length > 0 && policy !== allowlistPolicy
      ? [
          `can't set \`preloadedImagesVerificationAllowlist\` if \`imagePullCredentialsVertificationPolicy\` is not "${allowlistPolicy}"`,
        ]
      : patterns.map((error) => `invalid image pattern in \`preloadedImagesVerificationAllowlist\`: ${error}`)),
  ]
}

/** A whole image name without tag and digest, or a path with `/*` at its end. */
function imagePatternErrors(pattern: string): string[] {
  if (pattern === '' || pattern.trim() !== pattern) return [`leading/trailing spaces are not allowed: ${pattern}`]
  const name = pattern.endsWith('/*') ? pattern.slice(0, -2) : pattern
  if (name.includes('*'))
    return [`not a valid wildcard pattern, only patterns ending with "/*" are allowed: ${pattern}`]
  return /[@]|:[^/]*$/.test(name) ? [`the image pattern may not have a tag or a digest: ${pattern}`] : []
}

function shutdownPeriods(given: SettledConfiguration): string[] {
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

function evictionThresholds({ evictionHard, evictionSoft, evictionSoftGracePeriod }: SettledConfiguration): string[] {
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

function restartPeriod({ crashLoopBackOff }: SettledConfiguration): string[] {
  const period = crashLoopBackOff.maxContainerRestartPeriod
  if (period >= 1000 && period <= longestRestartMs) return []
  return [`CrashLoopBackOff.MaxContainerRestartPeriod (got: ${period / 1000} seconds) must be set between 1s and 300s`]
}

function containerLogs(given: SettledConfiguration): string[] {
  const { containerLogMaxFiles, containerLogMaxWorkers, containerLogMonitorInterval, containerLogMaxSize } = given
  return [
    ...(containerLogMaxWorkers < 1 ? ['containerLogMaxWorkers must be greater than or equal to 1'] : []),
    ...(containerLogMonitorInterval >= 3000
      ? []
      : ['containerLogMonitorInterval must be a positive time duration greater than or equal to 3s']),
    ...(containerLogMaxFiles > 1 ? [] : ['containerLogMaxFiles must be greater than 1']),
    ...(isQuantity(containerLogMaxSize) ? [] : [`containerLogMaxSize "${containerLogMaxSize}" is no quantity`]),
  ]
}

function userNamespaces({ userNamespaces: given }: KubeletConfiguration): string[] {
  const idsPerPod = given?.idsPerPod ?? idUnit
  if (idsPerPod < idUnit || idsPerPod >= 2 ** 32)
    return [`userNamespaces.idsPerPod ${idsPerPod} must be between ${idUnit} and ${2 ** 32 - 1}, inclusive`]
  return idsPerPod % idUnit === 0 ? [] : [`kubelet user namespace length ${idsPerPod} is not a multiple of ${idUnit}`]
}

function podLogs({ podLogsDir: path = '/' }: SettledConfiguration): string[] {
  const complain = (what: string): string => `pod logs path "${path}" ${what}`
  return [
    ...(isAbsolute(path) ? [] : [complain('must be absolute path')]),
    ...(normalize(path) === path && (path === '/' || !path.endsWith('/')) ? [] : [complain('must be normalized')]),
    // It stands in metrics.
    ...(/^[\0-\x7f]*$/.test(path) ? [] : [complain('mut contains ASCII characters only')]),
  ]
}

function choices(given: SettledConfiguration): string[] {
  const { hairpinMode, memoryReservationPolicy, showHiddenMetricsForVersion: shown = '' } = given
  return [
    ...unless('hairpinMode (--hairpin-mode)', hairpinMode, ['none', 'hairpin-veth', 'promiscuous-bridge']),
    ...unless('memorySwap.swapBehavior', given.memorySwap?.swapBehavior ?? '', ['', 'LimitedSwap', 'NoSwap']),
    ...unless('memoryReservationPolicy', memoryReservationPolicy, ['None', 'TieredReservation']),
    ...(memoryReservationPolicy === 'TieredReservation' && given.featureGates?.['MemoryQoS'] !== true
      ? ['memoryReservationPolicy "TieredReservation" requires MemoryQoS feature gate to be enabled']
      : []),
    ...(given.enableSystemLogQuery && !given.enableSystemLogHandler
      ? ['enableSystemLogHandler is required for enableSystemLogQuery']
      : []),
    ...(['Webhook', 'AlwaysAllow'].includes(given.authorization.mode)
      ? []
      : [`unknown authorization mode ${given.authorization.mode}`]),
    ...((given.tlsCertFile ?? '') === '' && (given.tlsPrivateKeyFile ?? '') !== ''
      ? ['tlsPrivateKeyFile (--tls-private-key-file) needs tlsCertFile (--tls-cert-file)']
      : []),
    ...((given.tlsCertFile ?? '') !== '' && (given.tlsPrivateKeyFile ?? '') === ''
      ? ['tlsCertFile (--tls-cert-file) needs tlsPrivateKeyFile (--tls-private-key-file)']
      : []),
    ...(given.serverTLSBootstrap === false && !given.tlsCertFile
      ? [
          'serverTLSBootstrap: false needs tlsCertFile: the API server believes no certificate that a node made for itself',
        ]
      : []),
    ...(given.runOnce ? ['runOnce (--runOnce) true, Runonce mode has been deprecated and should not be set'] : []),
    ...(given.systemCgroups && !given.cgroupRoot
      ? ['systemCgroups (--system-cgroups) was specified and cgroupRoot (--cgroup-root) was not specified']
      : []),
    ...(shown === '' || shown === previousMinor
      ? []
      : [
          `--show-hidden-metrics-for-version must be omitted or have the value '${previousMinor}'. Only the previous minor version is allowed`,
        ]),
  ]
}

const previousMinor = '1.35'

function unless(name: string, value: string, known: readonly string[]): string[] {
  if (known.includes(value)) return []
  const names = known.map((each) => JSON.stringify(each))
  const list = `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
  return [`option "${value}" specified for ${name}. Valid options are ${list}`]
}

const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

function taints({ registerWithTaints = [] }: KubeletConfiguration): string[] {
  return registerWithTaints.flatMap((taint) => {
    const { key, value = '', effect, timeAdded } = taint
    const isGood =
      qualifiedName(key).length === 0 && labelValue(value).length === 0 && (!effect || taintEffects.includes(effect))
    return [
      ...(isGood ? [] : [`invalid taint: {${key} ${value} ${effect} ${timeAdded ?? '<nil>'}}`]),
      ...(timeAdded ? ['invalid configuration: taint.TimeAdded is not nil'] : []),
    ]
  })
}
