import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { writeNull } from '../../meta/write-null.ts'
import type { Event, ObjectReference } from '../../types/core.v1.ts'
import { validateEventFacts } from './validate-event.ts'
import type { CheckedEvent } from './validate-event.ts'

export const event = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  hasGeneration: false,
  prepareForCreate: writeTimes,
  prepareForUpdate: writeTimes,
  validate: (object) => validateEventFacts(checkedFactsOf(object), 'reportingComponent'),
  cells: (object, nowMs) => eventCells(factsOf(object), nowMs),
  selectableFields: ({ involvedObject, reason, reportingComponent, source, type }) => ({
    ...referenceFields('involvedObject', involvedObject),
    reason: reason ?? '',
    reportingComponent: reportingComponent ?? '',
    source: source?.component || (reportingComponent ?? ''),
    type: type ?? '',
  }),
  createOnUpdate: true,
})

/** What both forms of events print and select by. */
export interface EventFacts {
  readonly name: string
  readonly object: ObjectReference
  readonly type: string
  readonly reason: string
  readonly message: string
  readonly component: string
  readonly host: string
  readonly firstSeen: string | undefined
  readonly lastSeen: string | undefined
  readonly count: number
}

export function eventCells(facts: EventFacts, nowMs: number): readonly unknown[] {
  const { object } = facts
  const kind = (object.kind ?? '').toLowerCase()
  return [
    ageOf(facts.lastSeen ?? facts.firstSeen, nowMs),
    facts.type,
    facts.reason,
    object.name ? `${kind}/${object.name}` : kind,
    object.fieldPath ?? '',
    facts.host === '' ? facts.component : `${facts.component}, ${facts.host}`,
    facts.message.trim(),
    ageOf(facts.firstSeen, nowMs),
    facts.count,
    facts.name,
  ]
}

/** The parts of a reference under the names by which events are selected. */
export function referenceFields(prefix: string, reference: ObjectReference | undefined): Record<string, string> {
  const names = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'] as const
  return Object.fromEntries(names.map((name) => [`${prefix}.${name}`, reference?.[name] ?? '']))
}

function factsOf(event: Event): EventFacts {
  const { metadata, source, series } = event
  const firstSeen = event.firstTimestamp ?? event.eventTime ?? undefined
  return {
    name: metadata.name,
    object: event.involvedObject,
    type: event.type ?? '',
    reason: event.reason ?? '',
    message: event.message ?? '',
    component: source?.component || (event.reportingComponent ?? ''),
    host: source?.host || (event.reportingInstance ?? ''),
    firstSeen,
    lastSeen: series?.lastObservedTime ?? event.lastTimestamp ?? firstSeen,
    count: series?.count ?? (event.count || 1),
  }
}

/** The API always writes these times, as null where they are not set. */
function writeTimes(draft: Draft<Event>): void {
  writeNull(draft, 'firstTimestamp', 'lastTimestamp', 'eventTime')
}

function checkedFactsOf(event: Event): CheckedEvent {
  return {
    namespace: event.metadata.namespace ?? '',
    objectNamespace: event.involvedObject?.namespace ?? '',
    hasEventTime: ((event.eventTime as string | null | undefined) ?? '') !== '',
    controller: event.reportingComponent ?? '',
    instance: event.reportingInstance ?? '',
    action: event.action ?? '',
    reason: event.reason ?? '',
    note: event.message ?? '',
  }
}
