import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { configurationErrors } from './validate-configuration.ts'
import { settingsOf } from './kubelet-settings.ts'
import { loadConfiguration } from './load-configuration.ts'
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
  [{ port: 0 }, 'port (--port) 0 must be between 1 and 65535, inclusive'],
  [
    { imageGCHighThresholdPercent: 50 },
    'imageGCLowThresholdPercent (--image-gc-low-threshold) 80 must be less than imageGCHighThresholdPercent (--image-gc-high-threshold) 50',
  ],
  [
    { maxParallelImagePulls: 2 },
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
    'cpuManagerPolicyOptions: "align-by-socket" is not supported by this kubelet',
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
  [{ enableControllerAttachDetach: false }, 'enableControllerAttachDetach: false is not supported by this kubelet'],
  [{ authorization: { mode: 'AlwaysAllow' } }, 'authorization.mode: "AlwaysAllow" is not supported by this kubelet'],
]

for (const [fields, error] of errors) {
  test(`invalid: ${error}`, () => assert.deepEqual(configurationErrors(fields), [`invalid configuration: ${error}`]))
}

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
featureGates: { Anything: true }
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
  const folder = await mkdtemp(join(tmpdir(), 'coracle-configuration-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'config.yaml')
  await assert.rejects(loadConfiguration(path), /failed to load kubelet config file, path: .*, error: failed to read/)
  await writeFile(path, `${head}maxPods: -1`)
  await assert.rejects(loadConfiguration(path), /failed to validate kubelet configuration, error: .*, path: /)
  await writeFile(path, `${head}maxPods: 7`)
  assert.equal((await loadConfiguration(path)).maximumPods, 7)
})
