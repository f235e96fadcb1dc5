import { eventCells, referenceFields } from '../../core/v1/event.ts'
import type { EventFacts } from '../../core/v1/event.ts'
import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { invalidValue, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
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

function validateEvent(event: Event): FieldError[] {
  const { metadata, regarding, action = '', reason = '', note = '', type = '' } = event
  const errors: FieldError[] = []
  const namespace = regarding?.namespace ?? ''
  const wanted = namespace === '' ? ['default', 'kube-system'] : [namespace]
  if (!wanted.includes(metadata.namespace ?? '')) {
    errors.push(invalidValue('involvedObject.namespace', namespace, 'does not match event.namespace'))
  }
  if (((event.eventTime as string | null) ?? '') === '') errors.push(required('eventTime'))
  if ((event.reportingController ?? '') === '') errors.push(required('reportingController'))
  if ((event.reportingInstance ?? '') === '') errors.push(required('reportingInstance'))
  if (action === '') errors.push(required('action'))
  if (reason === '') errors.push(required('reason'))
  else if (reason.length > maxReasonLength) {
    errors.push(invalidValue('reason', '', `can have at most ${maxReasonLength} characters`))
  }
  if (note.length > maxNoteLength)
    errors.push(invalidValue('message', '', `can have at most ${maxNoteLength} characters`))
  if (type !== 'Normal' && type !== 'Warning') errors.push(invalidValue('type', '', 'has invalid value: ' + type))
  return errors
}
