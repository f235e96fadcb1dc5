import type { SchedulerPlugin } from './framework.ts'
import { defaultPluginsWith, type PluginArguments } from './plugins/default-plugins.ts'

/**
 * One scheduler by name: what a profile of KubeSchedulerConfiguration v1 says, as a value. Pods choose by
 * `spec.schedulerName`.
 */
export interface Profile {
  readonly schedulerName: string
  readonly plugins: readonly SchedulerPlugin[]
  /** Whether pods may be preempted for pods of this profile. */
  readonly preempts: boolean
  /** The share of nodes to find before choosing, 1..100; default by the size of the cluster. */
  readonly percentageOfNodesToScore?: number | undefined
}

export interface ProfileOptions extends PluginArguments {
  /** Default `default-scheduler`. */
  readonly schedulerName?: string
  /** Names of default plugins to leave out; `*` for all, `DefaultPreemption` for preemption. */
  readonly disabled?: readonly string[]
  /** More plugins; their filters and scores run after those of the default plugins. */
  readonly additional?: readonly SchedulerPlugin[]
  /** Weights of scores by plugin name. */
  readonly weights?: Readonly<Record<string, number>>
  readonly percentageOfNodesToScore?: number
}

/** A profile with the default plugins, changed as the options say. Throws a TypeError for the name of no plugin. */
export function defineProfile(options: ProfileOptions = {}): Profile {
  const { schedulerName = 'default-scheduler', disabled = [], additional = [], weights = {} } = options
  const defaults = defaultPluginsWith(options)
  const known = new Set(['*', 'DefaultPreemption', ...[...defaults, ...additional].map(({ name }) => name)])
  for (const name of [...disabled, ...Object.keys(weights)]) {
    if (!known.has(name)) throw new TypeError(`"${name}" is not a scheduler plugin`)
  }
  const isDisabled = (name: string): boolean => disabled.includes('*') || disabled.includes(name)
  const plugins = [...defaults.filter(({ name }) => !isDisabled(name)), ...additional]
  return {
    schedulerName,
    plugins: plugins.map((plugin) => ({ ...plugin, weight: weights[plugin.name] ?? plugin.weight ?? 1 })),
    preempts: !isDisabled('DefaultPreemption'),
    percentageOfNodesToScore: options.percentageOfNodesToScore,
  }
}
