import { eventCells, referenceFields } from '../../core/v1/event.ts'
import type { EventFacts } from '../../core/v1/event.ts'
import { coreForm } from '../../core/v1/internal-types.ts'
import { validateEventFacts } from '../../core/v1/validate-event.ts'
import type { CheckedEvent } from '../../core/v1/validate-event.ts'
import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { immutableField, invalidValue, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateMetadata } from '../../meta/validate-metadata.ts'
import { writeNull } from '../../meta/write-null.ts'
import type { Event } from '../../types/events.v1.ts'

/** The same events as those of the core group, in the form that controllers write today. */
export const eventOfEventsGroup = defineKind<Event>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  hasGeneration: false,
  prepareForCreate: writeTimes,
  prepareForUpdate: writeTimes,
  validate: validateEvent,
  validateUpdate: validateEventUpdate,
  validatesUpdateAlone: true,
  cells: (event, nowMs) => eventCells(factsOf(event), nowMs),
  selectableFields: ({ regarding, reason, reportingController, type }) => ({
    ...referenceFields('regarding', regarding),
    reason: reason ?? '',
    reportingController: reportingController ?? '',
    type: type ?? '',
  }),
  createOnUpdate: true,
})

/** The API always writes these times, as null where they are not set. */
function writeTimes(draft: Draft<Event>): void {
  writeNull(draft, 'deprecatedFirstTimestamp', 'deprecatedLastTimestamp', 'eventTime')
}

function factsOf(event: Event): EventFacts {
  const { deprecatedSource, series } = event
  const firstSeen = event.deprecatedFirstTimestamp ?? event.eventTime ?? undefined
  return {
    name: event.metadata.name,
    object: event.regarding ?? {},
    type: event.type ?? '',
    reason: event.reason ?? '',
    message: event.note ?? '',
    component: deprecatedSource?.component || (event.reportingController ?? ''),
    host: deprecatedSource?.host || (event.reportingInstance ?? ''),
    firstSeen,
    lastSeen: series?.lastObservedTime ?? event.deprecatedLastTimestamp ?? firstSeen,
    count: series?.count ?? (event.deprecatedCount || 1),
  }
}

function checkedFactsOf(event: Event): CheckedEvent {
  return {
    namespace: event.metadata.namespace ?? '',
    objectNamespace: event.regarding?.namespace ?? '',
    hasEventTime: hasTime(event.eventTime),
    controller: event.reportingController ?? '',
    instance: event.reportingInstance ?? '',
    action: event.action ?? '',
    reason: event.reason ?? '',
    note: event.note ?? '',
  }
}

function hasTime(time: unknown): boolean {
  return typeof time === 'string' && time !== ''
}

/** Events without a time are of the old kind, of which little is asked; then this version asks for more. */
function validateEvent(event: Event): FieldError[] {
  const { type = '', deprecatedSource: source } = event
  const errors = [
    ...validateEventFacts(checkedFactsOf(event), 'reportingController'),
    ...validateMetadata(event, { namespaced: true }),
    ...validateSeries(event),
  ]
  if (!hasTime(event.eventTime)) errors.push(required('eventTime'))
  if (type !== 'Normal' && type !== 'Warning') errors.push(invalidValue('type', '', `has invalid value: ${type}`))
  const unset: readonly (readonly [field: string, isSet: boolean])[] = [
    ['firstTimestamp', hasTime(event.deprecatedFirstTimestamp)],
    ['lastTimestamp', hasTime(event.deprecatedLastTimestamp)],
    ['count', (event.deprecatedCount ?? 0) !== 0],
    ['source', (source?.component ?? '') !== '' || (source?.host ?? '') !== ''],
  ]
  for (const [field, isSet] of unset) if (isSet) errors.push(invalidValue(field, '', 'needs to be unset'))
  return errors
}

function validateSeries({ series }: Event): FieldError[] {
  if (series === undefined) return []
  const errors = (series.count ?? 0) < 2 ? [invalidValue('series.count', '', 'should be at least 2')] : []
  return hasTime(series.lastObservedTime) ? errors : [...errors, required('series.lastObservedTime')]
}

/** An event is a record: only its series goes on. Errors name the fields as the core group does. */
function validateEventUpdate(now: Event, old: Event): FieldError[] {
  const errors = validateEventFacts(checkedFactsOf(now), 'reportingController')
  if (!deepEqual(now.series, old.series)) errors.push(...validateSeries(now))
  for (const [field, name] of fixedFields) {
    if (deepEqual(now[field], old[field])) continue
    errors.push(invalidValue(name, shownValue(now[field], field), immutableField))
  }
  return errors
}

const fixedFields: readonly (readonly [keyof Event, string])[] = [
  ['regarding', 'involvedObject'],
  ['reason', 'reason'],
  ['note', 'message'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
  ['type', 'type'],
  ['eventTime', 'eventTime'],
  ['action', 'action'],
  ['related', 'related'],
  ['reportingController', 'reportingController'],
  ['reportingInstance', 'reportingInstance'],
]

function shownValue(value: unknown, field: keyof Event): unknown {
  if (field === 'deprecatedCount') return value ?? 0
  if (field === 'regarding' || field === 'related')
    return value === undefined ? null : coreForm.of('ObjectReference', value as object)
  if (field === 'deprecatedSource') {
    const { component = '', host = '' } = (value ?? {}) as { component?: string; host?: string }
    return { Component: component, Host: host }
  }
  return value ?? (field === 'eventTime' || field.endsWith('Timestamp') ? null : '')
}
