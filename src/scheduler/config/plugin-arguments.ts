import { validateNodeSelector, validateNodeSelectorTerm } from '#api/core/v1/validate-node-selector.ts'
import {
  duplicate,
  forbiddenField,
  invalidForEach,
  invalidValue,
  notSupported,
  required,
} from '#api/meta/field-errors.ts'
import { labelKey } from '#api/meta/names.ts'
import type { FieldError } from '#api/meta/status.ts'
import type { TopologySpreadConstraint } from '#api/types/core.v1.ts'
import type { PluginArguments } from '../plugins/default-plugins.ts'
import {
  cpuAndMemory,
  type ScoringStrategy,
  type ShapePoint,
  type WeightedResource,
} from '../plugins/scoring-strategy.ts'
import type { WrittenArguments } from './configuration-file.ts'
import { readDuration } from './read-duration.ts'

/** How the arguments of one plugin become what the plugin takes: defaults, what is wrong with them, and the value. */
interface ArgumentRow<Written> {
  readonly defaulted: (written: Partial<Written>) => Written
  readonly validate: (written: Written, path: string) => readonly FieldError[]
  readonly value: (written: Written) => PluginArguments
}

type ArgumentRows = { readonly [Name in keyof WrittenArguments]: ArgumentRow<WrittenArguments[Name]> }

const rows: ArgumentRows = {
  DefaultPreemption: {
    defaulted: (written) => ({ minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100, ...written }),
    validate: ({ minCandidateNodesPercentage: share, minCandidateNodesAbsolute: absolute }, path) => {
      const sharePath = `${path}.minCandidateNodesPercentage`
      const absolutePath = `${path}.minCandidateNodesAbsolute`
      const isNothing = share === 0 && absolute === 0
      return [
        ...outside(share, 0, 100, sharePath),
        ...(absolute < 0 ? [invalidValue(absolutePath, absolute, 'not in valid range [0, inf)')] : []),
        ...(isNothing ? [invalidValue(sharePath, share, zeroBeside('minCandidateNodesAbsolute'))] : []),
        ...(isNothing ? [invalidValue(absolutePath, absolute, zeroBeside('minCandidateNodesPercentage'))] : []),
      ]
    },
    value: (written) => written,
  },
  InterPodAffinity: {
    defaulted: (written) => ({ hardPodAffinityWeight: 1, ...written }),
    validate: ({ hardPodAffinityWeight }, path) =>
      outside(hardPodAffinityWeight, 0, 100, `${path}.hardPodAffinityWeight`),
    value: (written) => written,
  },
  NodeAffinity: {
    defaulted: (written) => written,
    validate: ({ addedAffinity }, path) => validateAdded(addedAffinity, `${path}.addedAffinity`),
    value: (written) => written,
  },
  NodeResourcesFit: {
    defaulted: (written) => {
      const { type = 'LeastAllocated', ...strategy } = written.scoringStrategy ?? {}
      const resources = weighted(written.scoringStrategy?.resources)
      return { ...written, scoringStrategy: { ...strategy, type, resources } }
    },
    validate: validateFit,
    value: ({ ignoredResources = [], ignoredResourceGroups = [], scoringStrategy }) => {
      const { type, resources, requestedToCapacityRatio } = scoringStrategy
      const strategy = { type, resources, shape: requestedToCapacityRatio?.shape } as ScoringStrategy
      const isUsual = type === 'LeastAllocated' && JSON.stringify(resources) === JSON.stringify(cpuAndMemory)
      return { ignoredResources, ignoredResourceGroups, ...(!isUsual && { scoringStrategy: strategy }) }
    },
  },
  NodeResourcesBalancedAllocation: {
    defaulted: ({ resources }) => ({ resources: weighted(resources) }),
    validate: ({ resources }, path) =>
      resources.flatMap(({ name, weight }, index) => {
        const at = `${path}.resources[${index}]`
        const isRepeated = resources.slice(0, index).some((other) => other.name === name)
        return [
          ...(isRepeated ? [duplicate(`${at}.name`, name)] : []),
          ...(weight === 1 ? [] : [invalidValue(`${at}.weight`, weight, 'must be 1')]),
        ]
      }),
    value: ({ resources }) => ({ balancedResources: resources.map(({ name }) => name) }),
  },
  PodTopologySpread: {
    defaulted: (written) => ({ defaultingType: 'System', ...written }),
    validate: validateSpread,
    value: ({ defaultingType, defaultConstraints = [] }) => (defaultingType === 'List' ? { defaultConstraints } : {}),
  },
  VolumeBinding: {
    defaulted: (written) => ({ bindTimeoutSeconds: 600, ...written }),
    validate: ({ bindTimeoutSeconds: seconds, shape }, path) => [
      ...(seconds < 0 ? [invalidValue(`${path}.bindTimeoutSeconds`, seconds, negativeTimeout)] : []),
      ...(shape ? [invalidValue(`${path}.shape`, shape, unexpectedShape)] : []),
    ],
    value: ({ bindTimeoutSeconds }) => ({ bindTimeoutMs: bindTimeoutSeconds * 1_000 }),
  },
  DynamicResources: {
    defaulted: (written) => written,
    validate: ({ filterTimeout = '10s', bindingTimeout = '600s' }, path) => [
      ...tooShort(filterTimeout, 0, 'must be zero or positive', `${path}.filterTimeout`),
      ...tooShort(bindingTimeout, 1_000, 'must be at least 1 second', `${path}.bindingTimeout`),
    ],
    value: ({ bindingTimeout }) =>
      bindingTimeout === undefined ? {} : { bindingTimeoutMs: readDuration(bindingTimeout) ?? 0 },
  },
}

const negativeTimeout = 'invalid BindTimeoutSeconds, should not be a negative value'
const unexpectedShape = 'unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring'

/** What the arguments of a plugin mean, and what is wrong with them. A plugin that is not known keeps its own. */
export function readArguments(
  name: string,
  written: object,
  path: string,
): { readonly errors: readonly FieldError[]; readonly value: PluginArguments } {
  const row = Object.hasOwn(rows, name) ? (rows[name as keyof ArgumentRows] as ArgumentRow<object>) : undefined
  if (!row) return { errors: [], value: {} }
  const complete = row.defaulted(written)
  const errors = row.validate(complete, path)
  return { errors, value: errors.length === 0 ? row.value(complete) : {} }
}

function zeroBeside(other: string): string {
  return `cannot be zero at the same time as ${other}`
}

function outside(value: number, low: number, high: number, path: string): readonly FieldError[] {
  return value < low || value > high ? [invalidValue(path, value, `not in valid range [${low}, ${high}]`)] : []
}

function tooShort(text: string, leastMs: number, why: string, path: string): readonly FieldError[] {
  const durationMs = readDuration(text)
  return durationMs === undefined || durationMs < leastMs ? [invalidValue(path, text, why)] : []
}

function weighted(resources: readonly WeightedResource[] = []): readonly WeightedResource[] {
  return resources.length === 0 ? cpuAndMemory : resources.map(({ name, weight }) => ({ name, weight: weight || 1 }))
}

function validateAdded(affinity: WrittenArguments['NodeAffinity']['addedAffinity'], path: string) {
  const {
    requiredDuringSchedulingIgnoredDuringExecution: hard,
    preferredDuringSchedulingIgnoredDuringExecution: soft,
  } = affinity ?? {}
  return [
    ...(hard ? validateNodeSelector(hard, `${path}.requiredDuringSchedulingIgnoredDuringExecution`) : []),
    ...(soft ?? []).flatMap(({ preference }, index) =>
      validateNodeSelectorTerm(
        preference,
        `${path}.preferredDuringSchedulingIgnoredDuringExecution[${index}].preference`,
      ),
    ),
  ]
}

const strategies = ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio']

function validateFit(written: WrittenArguments['NodeResourcesFit'], path: string): readonly FieldError[] {
  const { ignoredResources = [], ignoredResourceGroups = [], scoringStrategy } = written
  const { type, resources, requestedToCapacityRatio: ratio } = scoringStrategy
  const strategyPath = `${path}.scoringStrategy`
  const ratioPath = `${strategyPath}.requestedToCapacityRatio`
  const byRatio = type === 'RequestedToCapacityRatio'
  return [
    ...ignoredResources.flatMap((name, index) => labelErrors(name, `${path}.ignoredResources[${index}]`)),
    ...ignoredResourceGroups.flatMap((group, index) => {
      const at = `${path}.ignoredResourceGroups[${index}]`
      const slash = group.includes('/') ? [invalidValue(at, group, "resource group name can't contain '/'")] : []
      return [...slash, ...labelErrors(group, at)]
    }),
    ...(strategies.includes(type) ? [] : [notSupported(`${strategyPath}.type`, type, strategies)]),
    ...resources.flatMap(({ name, weight }, index) =>
      weight > 0 && weight <= 100
        ? []
        : [
            invalidValue(
              `${strategyPath}.resources[${index}].weight`,
              weight,
              `resource weight of ${name} not in valid range (0, 100]`,
            ),
          ],
    ),
    ...(byRatio && !ratio ? [required(ratioPath, 'must be specified when type is RequestedToCapacityRatio')] : []),
    ...(byRatio && ratio ? validateShape(ratio.shape ?? [], `${ratioPath}.shape`) : []),
    ...(!byRatio && ratio ? [forbiddenField(ratioPath, 'must be nil when type is not RequestedToCapacityRatio')] : []),
  ]
}

function labelErrors(name: string, path: string): readonly FieldError[] {
  return invalidForEach(path, name, labelKey(name))
}

function validateShape(shape: readonly ShapePoint[], path: string): readonly FieldError[] {
  if (shape.length === 0) return [required(path, 'at least one point must be specified')]
  const unsorted = shape.findIndex(
    ({ utilization }, index) => (shape[index - 1]?.utilization ?? -Infinity) >= utilization,
  )
  const at = `${path}[${unsorted}].utilization`
  return [
    ...(unsorted < 0
      ? []
      : [invalidValue(at, shape[unsorted]?.utilization, 'values must be sorted in increasing order')]),
    ...shape.flatMap(({ utilization, score }, index) => [
      ...outside(utilization, 0, 100, `${path}[${index}].utilization`),
      ...outside(score, 0, 10, `${path}[${index}].score`),
    ]),
  ]
}

function validateSpread(written: WrittenArguments['PodTopologySpread'], path: string): readonly FieldError[] {
  const { defaultingType: type, defaultConstraints: constraints = [] } = written
  const typePath = `${path}.defaultingType`
  const known = ['System', 'List']
  return [
    ...(known.includes(type) ? [] : [notSupported(typePath, type, known)]),
    ...(type === 'System' && constraints.length > 0
      ? [invalidValue(typePath, type, 'when .defaultConstraints are not empty')]
      : []),
    ...constraints.flatMap((constraint, index) => validateConstraint(constraints, constraint, index, path)),
  ]
}

const actions = ['DoNotSchedule', 'ScheduleAnyway']

function validateConstraint(
  all: readonly TopologySpreadConstraint[],
  { maxSkew, topologyKey, whenUnsatisfiable, labelSelector }: TopologySpreadConstraint,
  index: number,
  path: string,
): readonly FieldError[] {
  const at = `${path}.defaultConstraints[${index}]`
  const when = (whenUnsatisfiable as string | undefined) ?? ''
  const isRepeated = all
    .slice(0, index)
    .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable)
  const selected = 'constraint must not define a selector, as they deduced for each pod'
  return [
    ...((maxSkew ?? 0) > 0 ? [] : [invalidValue(`${at}.maxSkew`, maxSkew ?? 0, 'not in valid range (0, inf)')]),
    ...(topologyKey
      ? labelErrors(topologyKey, `${at}.topologyKey`)
      : [required(`${at}.topologyKey`, 'can not be empty')]),
    ...(when === '' ? [required(`${at}.whenUnsatisfiable`, 'can not be empty')] : []),
    ...(when !== '' && !actions.includes(when) ? [notSupported(`${at}.whenUnsatisfiable`, when, actions)] : []),
    ...(labelSelector === undefined ? [] : [forbiddenField(`${at}.labelSelector`, selected)]),
    ...(isRepeated ? [duplicate(at, `{${topologyKey}, ${when}}`)] : []),
  ]
}
