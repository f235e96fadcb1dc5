import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { configurationErrors } from './validate-configuration.ts'
import { settingsOf, type KubeletSettings } from './kubelet-settings.ts'
import { loadConfiguration } from './load-configuration.ts'
import { configurationFields } from './configuration-fields.ts'
import { partlyFollowed, refusalTable } from './refused-fields.ts'
import { readConfiguration } from './read-configuration.ts'

const head = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'

const refusals: readonly [text: string, message: RegExp][] = [
  ['maxPods: 5', /Object 'Kind' is missing/],
  ['apiVersion: v1\nkind: Pod', /no kind "Pod" is registered for version "v1"/],
  [
    `${head}maxPod: 5\nauthentication: { anonymus: {} }`,
    /strict decoding error: unknown field "maxPod", unknown field "authentication.anonymus"$/,
  ],
  [
    `${head}maxPods: many`,
    /json: cannot unmarshal string into Go struct field KubeletConfiguration.maxPods of type int32/,
  ],
  [`${head}maxPods: 5\nmaxPods: 6`, /strict decoding error: .*key "maxPods" already set in map/],
  [`${head}nodeStatusUpdateFrequency: soon`, /time: invalid duration "soon"/],
  [`${head}\tx`, /failed to decode: /],
]

for (const [text, message] of refusals) {
  test(`refused: ${message.source}`, () => assert.throws(() => readConfiguration(text), message))
}

const errors: readonly [fields: object, error: string][] = [
  [{ maxPods: -1 }, 'maxPods (--max-pods) -1 must not be a negative number'],
  [{ port: 70_000 }, 'port (--port) 70000 must be between 1 and 65535, inclusive'],
  [{ readOnlyPort: -1 }, 'readOnlyPort (--read-only-port) -1 must be between 0 and 65535, inclusive'],
  [{ kubeAPIQPS: -1 }, 'kubeAPIQPS (--kube-api-qps) -1 must not be a negative number'],
  [
    { cpuCFSQuotaPeriod: 2000 },
    'cpuCFSQuotaPeriod (--cpu-cfs-quota-period) 2s must be between 1ms and 1sec, inclusive',
  ],
  [{ memoryThrottlingFactor: 2 }, 'memoryThrottlingFactor 2 must be greater than 0 and less than or equal to 1.0'],
  [{ imageMaximumGCAge: 60_000 }, 'imageMaximumGCAge 1m0s must be greater than imageMinimumGCAge 2m0s'],
  [{ runOnce: true }, 'runOnce (--runOnce) true, Runonce mode has been deprecated and should not be set'],
  [
    { hairpinMode: 'hair' },
    'option "hair" specified for hairpinMode (--hairpin-mode). Valid options are "none", "hairpin-veth" or "promiscuous-bridge"',
  ],
  [
    { imagePullCredentialsVerificationPolicy: 'Sometimes' },
    'option "Sometimes" specified for imagePullCredentialsVerificationPolicy. Valid options are "NeverVerify", "NeverVerifyPreloadedImages", "NeverVerifyAllowlistedImages" or "AlwaysVerify"',
  ],
  [
    { preloadedImagesVerificationAllowlist: ['a/b'] },
    'can\'t set `preloadedImagesVerificationAllowlist` if `imagePullCredentialsVertificationPolicy` is not "NeverVerifyAllowlistedImages"',
  ],
  [
    {
      imagePullCredentialsVerificationPolicy: 'NeverVerifyAllowlistedImages',
      preloadedImagesVerificationAllowlist: ['a/*', 'host:80/b', 'a*/b'],
    },
    'invalid image pattern in `preloadedImagesVerificationAllowlist`: not a valid wildcard pattern, only patterns ending with "/*" are allowed: a*/b',
  ],
  [{ podLogsDir: 'logs' }, 'pod logs path "logs" must be absolute path'],
  [{ podLogsDir: '/var/../logs' }, 'pod logs path "/var/../logs" must be normalized'],
  [
    { crashLoopBackOff: { maxContainerRestartPeriod: 500 } },
    'CrashLoopBackOff.MaxContainerRestartPeriod (got: 0.5 seconds) must be set between 1s and 300s',
  ],
  [{ containerLogMaxWorkers: 0 }, 'containerLogMaxWorkers must be greater than or equal to 1'],
  [
    { memoryReservationPolicy: 'TieredReservation' },
    'memoryReservationPolicy "TieredReservation" requires MemoryQoS feature gate to be enabled',
  ],
  [
    { showHiddenMetricsForVersion: '1.20' },
    "--show-hidden-metrics-for-version must be omitted or have the value '1.35'. Only the previous minor version is allowed",
  ],
  [
    { imageGCHighThresholdPercent: 50 },
    'imageGCLowThresholdPercent (--image-gc-low-threshold) 80 must be less than imageGCHighThresholdPercent (--image-gc-high-threshold) 50',
  ],
  [
    { serializeImagePulls: true, maxParallelImagePulls: 2 },
    'maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls (--serialize-image-pulls) set to false',
  ],
  [
    { shutdownGracePeriod: 1000, shutdownGracePeriodCriticalPods: 2000 },
    'shutdownGracePeriodCriticalPods 2s must be <= shutdownGracePeriod 1s',
  ],
  [{ evictionHard: { 'moon.available': '1' } }, 'unsupported eviction signal moon.available'],
  [
    { evictionSoft: { 'memory.available': '1Gi' } },
    'grace period must be specified for the soft eviction threshold memory.available',
  ],
  [{ cpuManagerPolicy: 'dynamic' }, '[cpumanager] unknown policy: "dynamic"'],
  [
    { cpuManagerPolicy: 'static', cpuManagerPolicyOptions: { 'align-by-socket': 'true' } },
    'CPU Manager Policy Alpha-level Options not enabled, but option "align-by-socket" provided',
  ],
  [
    { cpuManagerPolicy: 'static', cpuManagerPolicyOptions: { 'no-such': 'true' } },
    'unknown CPU Manager Policy option: "no-such"',
  ],
  [
    { topologyManagerPolicyOptions: { 'max-allowable-numa-nodes': '4' } },
    'the minimum value of "max-allowable-numa-nodes" should not be less than 8',
  ],
  [
    { topologyManagerPolicyOptions: { 'max-allowable-numa-nodes': 'many' } },
    'unable to convert policy option to integer "max-allowable-numa-nodes": "many" is no number',
  ],
  [{ cpuManagerPolicyOptions: { 'full-pcpus-only': 'true' } }, 'None policy: received unsupported options'],
  [{ reservedSystemCPUs: '3-1' }, 'unable to parse reservedSystemCPUs (--reserved-cpus) 3-1'],
  [
    { reservedMemory: [{ numaNode: 1, limits: { memory: '0' } }] },
    'reserved memory may not be zero for NUMA node 1 and resource "memory"',
  ],
  [
    { topologyManagerPolicy: 'strict' },
    'topologyManagerPolicy (--topology-manager-policy) "strict" must be one of: ["none" "best-effort" "restricted" "single-numa-node"]',
  ],
  [
    { topologyManagerScope: 'node' },
    'topologyManagerScope (--topology-manager-scope) "node" must be one of: "container", or "pod"',
  ],
  [
    { enforceNodeAllocatable: ['pods', 'none'] },
    'enforceNodeAllocatable (--enforce-node-allocatable) may not contain additional enforcements when "none" is specified',
  ],
  [
    { enforceNodeAllocatable: ['kube-reserved'] },
    'kubeReservedCgroup (--kube-reserved-cgroup) must be specified when "kube-reserved" contained in enforceNodeAllocatable (--enforce-node-allocatable)',
  ],
  [{ userNamespaces: { idsPerPod: 65_537 } }, 'kubelet user namespace length 65537 is not a multiple of 65536'],
  [{ userNamespaces: { idsPerPod: 0 } }, 'userNamespaces.idsPerPod 0 must be between 65536 and 4294967295, inclusive'],
  [
    { enableControllerAttachDetach: false },
    'enableControllerAttachDetach: false is not supported by this kubelet: volumes are attached by the controller of the cluster',
  ],
]

for (const [fields, error] of errors) {
  test(`invalid: ${error}`, () => assert.deepEqual(configurationErrors(fields), [`invalid configuration: ${error}`]))
}

test('features cannot be switched', () => {
  const featureGates = { SidecarContainers: true, MemoryQoS: true, Anything: false }
  assert.deepEqual(configurationErrors({ featureGates }), [
    'cannot set feature gate MemoryQoS to true, feature is locked to false',
    'featureGates: "Anything" is not supported by this kubelet: no feature is switched by it',
  ])
})

test('taints and the log have errors of their own', () => {
  const taint = { key: 'a/b/c', effect: 'NoSchedule' as const }
  assert.deepEqual(configurationErrors({ registerWithTaints: [taint] }), ['invalid taint: {a/b/c  NoSchedule <nil>}'])
  assert.deepEqual(configurationErrors({ logging: { format: 'xml' } }), [
    'logging.format: Invalid value: "xml": Unsupported log format',
  ])
})

/** What kubeadm gives to a node: zero stands for the default. */
const ofKubeadm = `${head}
authentication: { anonymous: { enabled: false }, webhook: { cacheTTL: 0s, enabled: true } }
authorization: { mode: Webhook, webhook: { cacheAuthorizedTTL: 0s, cacheUnauthorizedTTL: 0s } }
cgroupDriver: cgroupfs
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
containerRuntimeEndpoint: ""
cpuManagerReconcilePeriod: 0s
crashLoopBackOff: {}
evictionPressureTransitionPeriod: 0s
fileCheckFrequency: 0s
healthzBindAddress: 127.0.0.1
healthzPort: 10248
httpCheckFrequency: 0s
imageMaximumGCAge: 0s
imageMinimumGCAge: 0s
logging:
  flushFrequency: 0
  options: { json: { infoBufferSize: "0" }, text: { infoBufferSize: "0" } }
  verbosity: 0
memorySwap: {}
nodeStatusReportFrequency: 0s
nodeStatusUpdateFrequency: 0s
rotateCertificates: true
runtimeRequestTimeout: 0s
shutdownGracePeriod: 0s
shutdownGracePeriodCriticalPods: 0s
staticPodPath: /etc/kubernetes/manifests
streamingConnectionIdleTimeout: 0s
syncFrequency: 0s
volumeStatsAggPeriod: 0s
`

test('zero stands for the default where it has no meaning of its own', () => {
  const given = readConfiguration(ofKubeadm)
  assert.deepEqual(configurationErrors(given), [])
  const settled: object = settingsOf(given).configuration
  const defaults: object = settingsOf({}).configuration
  for (const [name, value] of Object.entries(defaults))
    if (name !== 'logging') assert.deepEqual((settled as Record<string, unknown>)[name], value, name)
  assert.equal(settingsOf({ nodeStatusUpdateFrequency: 4000 }).heartbeat.statusReportMs, 4000)
  assert.equal(settingsOf({ registryPullQPS: 0 }).pulls.perSecond, 0)
  assert.equal(settingsOf({ maxParallelImagePulls: 3 }).pulls.atOnce, 3)
})

test('what is not followed stands in the documentation', async () => {
  const page = await readFile(join(import.meta.dirname, '../../../docs/nodes.md'), 'utf8')
  assert.ok(page.includes(refusalTable()), `docs/nodes.md should have:\n${refusalTable()}`)
  const names = partlyFollowed.map(({ field }) => field.split('.')[0] ?? '')
  assert.deepEqual(
    names.filter((name) => !(name in configurationFields)),
    [],
  )
})

test('thresholds that are not given', () => {
  const thresholdsOf = (fields: object): readonly string[] =>
    settingsOf(fields).eviction.thresholds.map(({ signal, value }) => `${signal}<${value}`)
  const evictionHard = { 'memory.available': '5%' }
  assert.deepEqual(thresholdsOf({ evictionHard }), ['memory.available<5%'])
  const merged = thresholdsOf({ evictionHard, mergeDefaultEvictionSettings: true })
  assert.deepEqual(
    [merged[0], merged.includes('nodefs.available<10%'), merged.length],
    ['memory.available<5%', true, 6],
  )
  assert.deepEqual(
    thresholdsOf({ localStorageCapacityIsolation: false }).map((each) => each.split('.')[0]),
    ['memory', 'pid'],
  )
})

test('what was given replaces the defaults, in the units of the code', () => {
  const given = readConfiguration(`${head}
maxPods: 20
podsPerCore: 4
crashLoopBackOff: { maxContainerRestartPeriod: 2s }
evictionHard: { memory.available: 5% }
evictionSoft: { nodefs.available: 20% }
evictionSoftGracePeriod: { nodefs.available: 1m30s }
serializeImagePulls: false
maxParallelImagePulls: 3
shutdownGracePeriod: 30s
shutdownGracePeriodCriticalPods: 10s
systemReserved: { cpu: 100m, memory: 1Gi }
kubeReserved: { cpu: 200m }
featureGates: { GracefulNodeShutdown: true }
`)
  assert.deepEqual(configurationErrors(given), [])
  const settings = settingsOf(given)
  assert.deepEqual([settings.maximumPods, settings.podsPerCpu, settings.pulls.atOnce], [20, 4, 3])
  assert.deepEqual(settings.restartDelays, { initialMs: 2000, maximumMs: 2000 })
  assert.deepEqual(settings.eviction.thresholds, [
    { signal: 'memory.available', value: '5%' },
    { signal: 'nodefs.available', value: '20%', gracePeriodMs: 90_000 },
  ])
  assert.deepEqual(settings.shutdown, [
    { priority: 0, seconds: 20 },
    { priority: 2_000_000_000, seconds: 10 },
  ])
  assert.deepEqual(settings.reserved, { cpu: 300, memory: 1024 ** 3 })
  assert.deepEqual(settingsOf({ reservedSystemCPUs: '0-1,3', kubeReserved: { cpu: '1' } }).reserved, { cpu: 3000 })
})

test('a file is read, judged, and named when it is wrong', async (t) => {
  const folder = await temporaryFolder(t)
  const file = join(folder, 'config.yaml')
  const load = (): Promise<KubeletSettings> => loadConfiguration({ file, folder: '' })
  await assert.rejects(load(), /failed to load kubelet config file, path: .*, error: failed to read/)
  await writeFile(file, `${head}maxPods: -1`)
  await assert.rejects(load(), /failed to validate kubelet configuration, error: .*, path: /)
  await writeFile(file, `${head}maxPods: 7`)
  assert.equal((await load()).maximumPods, 7)
})

test('files of a folder are merged onto the file, in the order of their names', async (t) => {
  const folder = await temporaryFolder(t)
  const file = join(folder, 'config.yaml')
  const texts = {
    'config.yaml': 'maxPods: 7\nsystemReserved: { cpu: 100m, memory: 1Gi }\nallowedUnsafeSysctls: [kernel.*]',
    '20-second.conf': 'maxPods: 9\nsystemReserved: { memory: 2Gi }',
    '10-first.conf': 'maxPods: 8\nallowedUnsafeSysctls: [net.*]',
    'ignored.yaml': 'maxPods: 10',
  }
  for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), head + text)
  const settings = await loadConfiguration({ file, folder })
  assert.deepEqual([settings.maximumPods, settings.allowedUnsafeSysctls], [9, ['net.*']])
  assert.deepEqual(settings.reserved, { cpu: 100, memory: 2 * 1024 ** 3 })
  assert.equal((await loadConfiguration({ file: '', folder })).maximumPods, 9)
  await writeFile(join(folder, '30-wrong.conf'), 'maxPods: 5')
  await assert.rejects(loadConfiguration({ file, folder }), /path: .*30-wrong.conf, error: .*Object 'Kind' is missing/)
  await assert.rejects(loadConfiguration({ file, folder: join(folder, 'none') }), /kubelet dropin directory/)
})

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'coracle-configuration-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}
