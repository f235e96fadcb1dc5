import type { SchedulerPlugin } from './framework.ts'

/** The points of the scheduling framework at which plugins take part, in the order in which a pod passes them. */
export const extensionPoints = [
  'preEnqueue',
  'queueSort',
  'preFilter',
  'filter',
  'postFilter',
  'preScore',
  'score',
  'reserve',
  'permit',
  'preBind',
  'bind',
  'postBind',
] as const

export type ExtensionPoint = (typeof extensionPoints)[number]

/** A plugin at one extension point of a profile. */
export interface PlacedPlugin {
  readonly plugin: SchedulerPlugin
  /** A small number of its own within the profile, for arrays by plugin. */
  readonly slot: number
  /** The share of its score in the sum. */
  readonly weight: number
}

export type PluginPoints = Readonly<Record<ExtensionPoint, readonly PlacedPlugin[]>>

/** Which plugins take part, as a profile of KubeSchedulerConfiguration v1 says it for one point or for all. */
export interface PluginSet {
  readonly enabled?: readonly { readonly name: string; readonly weight?: number | undefined }[] | undefined
  /** `*` stands for all plugins that take part without being named. */
  readonly disabled?: readonly { readonly name: string }[] | undefined
}

export type PluginSets = { readonly [Point in ExtensionPoint | 'multiPoint']?: PluginSet | undefined }

/** Whether the plugin has something to do at the point. */
export function takesPartIn(plugin: SchedulerPlugin, point: ExtensionPoint): boolean {
  if (point === 'reserve') return plugin.reserve !== undefined || plugin.unreserve !== undefined
  return plugin[point] !== undefined
}

/**
 * The plugins at each point: those that `multiPoint` enables (by default all `standard` ones) wherever they have
 * something to do, unless the point disables them, and those that the point enables itself. At one point come first, in
 * the point's own order, the plugins that both name, then those of `multiPoint`, then those of the point alone.
 * Throws a TypeError for a plugin that does not exist or has nothing to do at a point that names it.
 */
export function arrangePlugins(
  registry: readonly SchedulerPlugin[],
  standard: readonly SchedulerPlugin[],
  sets: PluginSets,
): PluginPoints {
  const known = new Map(registry.map((plugin, slot) => [plugin.name, { plugin, slot }]))
  const everywhere = enabledEverywhere(standard, sets.multiPoint).map((entry) => {
    const found = known.get(entry.name)
    if (!found) throw new TypeError(`plugin ${JSON.stringify(entry.name)} does not exist`)
    return { ...found, weight: entry.weight || (found.plugin.weight ?? 1) }
  })
  refuseTwice(everywhere, 'multiPoint')
  const points = extensionPoints.map((point) => [point, atPoint(point, everywhere, known, sets[point])] as const)
  return Object.fromEntries(points) as unknown as PluginPoints
}

function enabledEverywhere(standard: readonly SchedulerPlugin[], set: PluginSet = {}) {
  const disabled = new Set(set.disabled?.map(({ name }) => name))
  const given = new Map(set.enabled?.map((entry) => [entry.name, entry]))
  const kept = disabled.has('*') ? [] : standard.filter(({ name }) => !disabled.has(name))
  const names = new Set(kept.map(({ name }) => name))
  // A default plugin that is named again keeps its place and takes the weight that was given.
  return [
    ...kept.map(({ name }) => given.get(name) ?? { name, weight: undefined }),
    ...(set.enabled ?? []).filter(({ name }) => !names.has(name)),
  ]
}

type Known = ReadonlyMap<string, Pick<PlacedPlugin, 'plugin' | 'slot'>>

function atPoint(
  point: ExtensionPoint,
  everywhere: readonly PlacedPlugin[],
  known: Known,
  set: PluginSet = {},
): readonly PlacedPlugin[] {
  const disabled = new Set(set.disabled?.map(({ name }) => name))
  const general = everywhere.filter(
    ({ plugin }) => takesPartIn(plugin, point) && !disabled.has('*') && !disabled.has(plugin.name),
  )
  const own = (set.enabled ?? []).map(({ name, weight }): PlacedPlugin => {
    const found = known.get(name)
    if (!found) throw new TypeError(`${titled(point)} plugin ${JSON.stringify(name)} does not exist`)
    if (!takesPartIn(found.plugin, point)) {
      throw new TypeError(`plugin ${JSON.stringify(name)} does not extend ${titled(point)} plugin`)
    }
    const usual = everywhere.find(({ slot }) => slot === found.slot)?.weight ?? found.plugin.weight ?? 1
    return { ...found, weight: weight || usual }
  })
  refuseTwice(own, point)
  const ownSlots = new Set(own.map(({ slot }) => slot))
  const generalSlots = new Set(general.map(({ slot }) => slot))
  return [
    ...own.filter(({ slot }) => generalSlots.has(slot)),
    ...general.filter(({ slot }) => !ownSlots.has(slot)),
    ...own.filter(({ slot }) => !generalSlots.has(slot)),
  ]
}

function refuseTwice(placed: readonly PlacedPlugin[], where: string): void {
  const seen = new Set<number>()
  for (const { plugin, slot } of placed) {
    if (seen.has(slot)) throw new TypeError(`plugin ${JSON.stringify(plugin.name)} already registered as "${where}"`)
    seen.add(slot)
  }
}

function titled(point: string): string {
  return point.charAt(0).toUpperCase() + point.slice(1)
}
