import type { KubernetesObject } from '../meta/resource.ts'

/** Events are one object under two names for half of their fields. */
const coreToEventsGroup: Readonly<Record<string, string>> = {
  message: 'note',
  involvedObject: 'regarding',
  reportingComponent: 'reportingController',
  source: 'deprecatedSource',
  firstTimestamp: 'deprecatedFirstTimestamp',
  lastTimestamp: 'deprecatedLastTimestamp',
  count: 'deprecatedCount',
}
const eventsGroupToCore = Object.fromEntries(Object.entries(coreToEventsGroup).map(([core, other]) => [other, core]))

function renamed(object: object, names: Readonly<Record<string, string>>, apiVersion: string): KubernetesObject {
  const entries = Object.entries(object).map(([key, value]: [string, unknown]) => [names[key] ?? key, value] as const)
  return { ...Object.fromEntries(entries), apiVersion } as unknown as KubernetesObject
}

/** A core event in the form of `events.k8s.io/v1`. */
export function eventToEventsGroup(event: KubernetesObject): KubernetesObject {
  return renamed(event, coreToEventsGroup, 'events.k8s.io/v1')
}

/** What every core event has, set or not. */
const coreZeros = {
  reportingComponent: '',
  reportingInstance: '',
  involvedObject: {},
  source: {},
  firstTimestamp: null,
  lastTimestamp: null,
}

/** An event of `events.k8s.io/v1` in the form of the core group. */
export function eventToCore(event: KubernetesObject): KubernetesObject {
  return { ...coreZeros, ...renamed(event, eventsGroupToCore, 'v1') } as KubernetesObject
}
