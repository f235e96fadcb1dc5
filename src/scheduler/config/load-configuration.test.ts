import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ExtenderCaller } from '../extenders/extender-settings.ts'
import { loadConfiguration } from './load-configuration.ts'

const context = {
  readFile: (path: string) => `the text of ${path}`,
  callExtender: (() => Promise.reject(new Error('not called'))) as ExtenderCaller,
}
const load = (text: string) => loadConfiguration(`${header}${text}`, context)
const header = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n'

test('an empty configuration is the default scheduler', () => {
  const { profiles, backoff } = load('')
  assert.deepEqual(
    profiles.map(({ schedulerName }) => schedulerName),
    ['default-scheduler'],
  )
  assert.deepEqual(backoff, { initialBackoffMs: 1_000, maxBackoffMs: 10_000 })
  assert.equal(profiles[0]?.points.score.length, 8)
})

test('profiles have their own plugins, weights and arguments', () => {
  const { profiles, backoff } = load(`
podInitialBackoffSeconds: 2
percentageOfNodesToScore: 30
leaderElection: {leaderElect: false}
profiles:
- schedulerName: dense
  percentageOfNodesToScore: 70
  plugins:
    score:
      enabled: [{name: NodeResourcesFit, weight: 5}]
      disabled: [{name: '*'}]
  pluginConfig:
  - name: NodeResourcesFit
    args:
      scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 3}]}
- schedulerName: quiet
  plugins: {multiPoint: {disabled: [{name: DefaultPreemption}]}}
`)
  const [dense, quiet] = profiles
  const scoring = dense?.points.score.map(({ plugin, weight }) => `${plugin.name}:${weight}`)
  assert.deepEqual(scoring, ['NodeResourcesFit:5'])
  assert.deepEqual([dense?.percentageOfNodesToScore, quiet?.percentageOfNodesToScore], [70, 30])
  assert.equal(
    quiet?.points.postFilter.some(({ plugin }) => plugin.name === 'DefaultPreemption'),
    false,
  )
  assert.equal(backoff.initialBackoffMs, 2_000)
})

const argument = (name: string, args: string): string => `profiles: [{pluginConfig: [{name: ${name}, args: ${args}}]}]`
const at = 'profiles[0].pluginConfig[0].args'

const refusals: readonly (readonly [text: string, message: string])[] = [
  ['frobnicate: 1', 'strict decoding error: unknown field "frobnicate"'],
  [argument('InterPodAffinity', '{hardWeight: 1}'), 'strict decoding error: unknown field "hardWeight"'],
  ['parallelism: 0', 'parallelism: Invalid value: 0: should be an integer value greater than zero'],
  ['percentageOfNodesToScore: 101', 'percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]'],
  ['podInitialBackoffSeconds: 0', 'podInitialBackoffSeconds: Invalid value: 0: must be greater than 0'],
  [
    'podInitialBackoffSeconds: 20',
    'podMaxBackoffSeconds: Invalid value: 10: must be greater than or equal to PodInitialBackoffSeconds',
  ],
  ['profiles: [{schedulerName: a}, {}]', 'profiles[1].schedulerName: Required value'],
  [
    'profiles: [{schedulerName: a}, {schedulerName: a}]',
    'profiles[1].schedulerName: Duplicate value: "profiles[0].schedulerName"',
  ],
  [
    'extenders: [{urlPrefix: "http://x", prioritizeVerb: p}]',
    'extenders[0].weight: Invalid value: 0: must have a positive weight applied to it',
  ],
  [
    'extenders: [{bindVerb: b}, {bindVerb: b}]',
    'extenders: Invalid value: "found 2 extenders implementing bind": only one extender can implement bind',
  ],
  [
    'extenders: [{managedResources: [{name: cpu}]}]',
    'extenders[0].managedResources[0].name: Invalid value: "cpu": is an invalid extended resource name',
  ],
  [
    argument('InterPodAffinity', '{hardPodAffinityWeight: 101}'),
    `${at}.hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]`,
  ],
  [
    argument('DefaultPreemption', '{minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 0}'),
    `[${at}.minCandidateNodesPercentage: Invalid value: 0: cannot be zero at the same time as minCandidateNodesAbsolute, ` +
      `${at}.minCandidateNodesAbsolute: Invalid value: 0: cannot be zero at the same time as minCandidateNodesPercentage]`,
  ],
  [
    argument('NodeResourcesFit', '{scoringStrategy: {type: Tallest}}'),
    `${at}.scoringStrategy.type: Unsupported value: "Tallest": supported values: "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"`,
  ],
  [
    argument('NodeResourcesFit', '{scoringStrategy: {type: RequestedToCapacityRatio}}'),
    `${at}.scoringStrategy.requestedToCapacityRatio: Required value: must be specified when type is RequestedToCapacityRatio`,
  ],
  [
    argument('NodeResourcesFit', '{ignoredResourceGroups: ["a/b"]}'),
    `${at}.ignoredResourceGroups[0]: Invalid value: "a/b": resource group name can't contain '/'`,
  ],
  [
    argument(
      'PodTopologySpread',
      '{defaultConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: ScheduleAnyway}]}',
    ),
    `${at}.defaultingType: Invalid value: "System": when .defaultConstraints are not empty`,
  ],
  [
    argument('VolumeBinding', '{bindTimeoutSeconds: -1}'),
    `${at}.bindTimeoutSeconds: Invalid value: -1: invalid BindTimeoutSeconds, should not be a negative value`,
  ],
  [
    argument('NodeResourcesBalancedAllocation', '{resources: [{name: cpu, weight: 2}]}'),
    `${at}.resources[0].weight: Invalid value: 2: must be 1`,
  ],
  ['profiles: [{plugins: {score: {enabled: [{name: Nothing}]}}}]', 'Score plugin "Nothing" does not exist'],
]

for (const [text, message] of refusals) {
  test(`a configuration is refused: ${message}`, () => assert.throws(() => load(text), { message }))
}

test('a configuration of another kind or version is refused', () => {
  const message = 'no kind "KubeletConfiguration" is registered for version "kubescheduler.config.k8s.io/v1"'
  const text = header.replace('KubeSchedulerConfiguration', 'KubeletConfiguration')
  assert.throws(() => loadConfiguration(text, context), { message })
  assert.throws(() => load('parallelism: many'), /decoding: .*parallelism/)
})
