import { eventCells, referenceFields } from '../../core/v1/event.ts'
import type { EventFacts } from '../../core/v1/event.ts'
import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { immutableField, invalidForEach, invalidValue, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { writeNull } from '../../meta/write-null.ts'
import type { Event, EventSeries } from '../../types/events.v1.ts'
import type { ObjectReference } from '../../types/core.v1.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { qualifiedName } from '../../meta/names.ts'

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

const maxReasonLength = 128
const maxNoteLength = 1024

/** Events without a time are of the old kind, of which little is asked; then this version asks for more. */
function validateEvent(event: Event): FieldError[] {
  const { metadata, regarding } = event
  const errors: FieldError[] = []
  const namespace = regarding?.namespace ?? ''
  const own = metadata.namespace ?? ''
  const isTimed = ((event.eventTime as string | null) ?? '') !== ''
  const isPlaced =
    namespace === '' ? own === 'default' || (isTimed && own === 'kube-system') : isTimed || own === namespace
  if (!isPlaced) errors.push(invalidValue('involvedObject.namespace', namespace, 'does not match event.namespace'))
  if (isTimed) errors.push(...validateOrigin(event))
  errors.push(...validateSeries(event.series, 'series'))
  if (!isTimed) errors.push(required('eventTime'))
  const { type = '', deprecatedSource } = event
  if (type !== 'Normal' && type !== 'Warning') errors.push(invalidValue('type', '', `has invalid value: ${type}`))
  const unset = {
    firstTimestamp: event.deprecatedFirstTimestamp,
    lastTimestamp: event.deprecatedLastTimestamp,
    count: event.deprecatedCount,
    source: deprecatedSource?.component || deprecatedSource?.host,
  }
  for (const [field, value] of Object.entries(unset)) {
    if (value) errors.push(invalidValue(field, '', 'needs to be unset'))
  }
  return errors
}

function validateOrigin(event: Event): FieldError[] {
  const { reportingController = '', reportingInstance = '', action = '', reason = '', note = '' } = event
  const errors: FieldError[] = []
  if (reportingController === '') errors.push(required('reportingController'))
  errors.push(...invalidForEach('reportingController', reportingController, qualifiedName(reportingController)))
  for (const [field, value] of Object.entries({ reportingInstance, action, reason })) {
    if (value === '') errors.push(required(field))
    errors.push(...notLonger(value, maxReasonLength, field))
  }
  return [...errors, ...notLonger(note, maxNoteLength, 'message')]
}

function notLonger(text: string, max: number, field: string): FieldError[] {
  return text.length > max ? [invalidValue(field, '', `can have at most ${max} characters`)] : []
}

function validateSeries(series: EventSeries | undefined, path: string): FieldError[] {
  if (series === undefined) return []
  const errors = series.count < 2 ? [invalidValue(`${path}.count`, '', 'should be at least 2')] : []
  return series.lastObservedTime ? errors : [...errors, required(`${path}.lastObservedTime`)]
}

/** What happened has happened: only how often may change. */
function validateEventUpdate(now: Event, old: Event): FieldError[] {
  const errors = deepEqual(now.series, old.series) ? [] : validateSeries(now.series, 'series')
  const shown = (event: Event): Readonly<Record<string, unknown>> => ({
    involvedObject: referenceForMessage(event.regarding),
    reason: event.reason ?? '',
    message: event.note ?? '',
    source: { Component: event.deprecatedSource?.component ?? '', Host: event.deprecatedSource?.host ?? '' },
    firstTimestamp: event.deprecatedFirstTimestamp ?? null,
    lastTimestamp: event.deprecatedLastTimestamp ?? null,
    count: event.deprecatedCount ?? 0,
    type: event.type ?? '',
    eventTime: event.eventTime ?? null,
    action: event.action ?? '',
    related: event.related === undefined ? null : referenceForMessage(event.related),
    reportingController: event.reportingController ?? '',
    reportingInstance: event.reportingInstance ?? '',
  })
  const before = shown(old)
  for (const [field, value] of Object.entries(shown(now))) {
    if (!deepEqual(value, before[field])) errors.push(invalidValue(field, value, immutableField))
  }
  return errors
}

function referenceForMessage(reference: ObjectReference | undefined): object {
  const {
    kind = '',
    namespace = '',
    name = '',
    uid = '',
    apiVersion = '',
    resourceVersion = '',
    fieldPath = '',
  } = reference ?? {}
  return {
    Kind: kind,
    Namespace: namespace,
    Name: name,
    UID: uid,
    APIVersion: apiVersion,
    ResourceVersion: resourceVersion,
    FieldPath: fieldPath,
  }
}
