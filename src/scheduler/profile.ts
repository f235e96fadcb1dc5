import {
  arrangePlugins,
  takesPartIn,
  type PlacedPlugin,
  type PluginPoints,
  type PluginSets,
} from './extension-points.ts'
import type { Extender, SchedulerPlugin } from './framework.ts'
import { defaultPluginsWith, type PluginArguments } from './plugins/default-plugins.ts'

/**
 * One scheduler by name: what a profile of KubeSchedulerConfiguration v1 says, as a value. Pods choose by
 * `spec.schedulerName`.
 */
export interface Profile {
  readonly schedulerName: string
  readonly points: PluginPoints
  /** The plugins that look at a pod first, each once: those at `preFilter`, and others whose later points need it. */
  readonly preparing: readonly PlacedPlugin[]
  readonly extenders: readonly Extender[]
  /** The share of nodes to find before choosing, 1..100; default by the size of the cluster. */
  readonly percentageOfNodesToScore?: number | undefined
}

export interface ProfileOptions extends PluginArguments {
  /** Default `default-scheduler`. */
  readonly schedulerName?: string
  /** Names of default plugins to leave out; `*` for all but those without which no pod could be bound. */
  readonly disabled?: readonly string[]
  /** More plugins; their filters and scores run after those of the default plugins. */
  readonly additional?: readonly SchedulerPlugin[]
  /** Weights of scores by plugin name. */
  readonly weights?: Readonly<Record<string, number>>
  /** Plugins by extension point, as a configuration file names them; instead of `disabled` and `weights`. */
  readonly sets?: PluginSets | undefined
  readonly extenders?: readonly Extender[]
  readonly percentageOfNodesToScore?: number | undefined
}

/** Kept where all plugins are left out by `*`: without them no pod would be taken or bound. */
const indispensable = new Set(['PrioritySort', 'DefaultBinder'])

/** A profile with the default plugins, changed as the options say. Throws a TypeError where they make no sense. */
export function defineProfile(options: ProfileOptions = {}): Profile {
  const { schedulerName = 'default-scheduler', additional = [], extenders = [] } = options
  const ignored = extenders.flatMap(({ ignoredResources }) => ignoredResources)
  const standard = defaultPluginsWith({
    ...options,
    ignoredResources: [...(options.ignoredResources ?? []), ...ignored],
  })
  const registry = [...standard, ...additional]
  const points = arrangePlugins(registry, standard, options.sets ?? setsOf(options, standard, additional))
  refuseImpossible(points, schedulerName)
  return {
    schedulerName,
    points,
    preparing: preparingOf(points),
    extenders,
    percentageOfNodesToScore: options.percentageOfNodesToScore || undefined,
  }
}

function setsOf(
  { disabled = [], weights = {} }: ProfileOptions,
  standard: readonly SchedulerPlugin[],
  additional: readonly SchedulerPlugin[],
): PluginSets {
  const all = disabled.includes('*') ? standard.filter(({ name }) => !indispensable.has(name)) : []
  const names = [...disabled.filter((name) => name !== '*'), ...Object.keys(weights)]
  for (const name of names) {
    if (![...standard, ...additional].some((plugin) => plugin.name === name)) {
      throw new TypeError(`"${name}" is not a scheduler plugin`)
    }
  }
  const weighed = Object.keys(weights).filter((name) => !additional.some((plugin) => plugin.name === name))
  return {
    multiPoint: {
      disabled: [...disabled.filter((name) => name !== '*'), ...all.map(({ name }) => name)].map((name) => ({ name })),
      enabled: [...weighed, ...additional.map(({ name }) => name)].map((name) => ({ name, weight: weights[name] })),
    },
  }
}

/** A scheduler that could not order its queue or bind a pod is refused before it starts. */
function refuseImpossible({ queueSort, bind }: PluginPoints, schedulerName: string): void {
  const profile = `profile with scheduler name ${JSON.stringify(schedulerName)}`
  if (queueSort.length === 0) throw new TypeError(`no queue sort plugin is enabled for ${profile}`)
  if (queueSort.length > 1) {
    throw new TypeError(`only one queue sort plugin required for ${profile}, but got ${queueSort.length}`)
  }
  if (bind.length === 0) throw new TypeError(`at least one bind plugin is needed for ${profile}`)
}

/** Points that work on what `preFilter` has made of the pod. */
const needingState = ['filter', 'preScore', 'score', 'reserve', 'preBind', 'postBind'] as const

function preparingOf(points: PluginPoints): readonly PlacedPlugin[] {
  const chosen = new Map(points.preFilter.map((placed) => [placed.slot, placed]))
  for (const point of needingState) {
    for (const placed of points[point]) {
      if (takesPartIn(placed.plugin, 'preFilter') && !chosen.has(placed.slot)) chosen.set(placed.slot, placed)
    }
  }
  return [...chosen.values()]
}
