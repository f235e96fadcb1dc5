import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate, tryUpdate } from '../../kind-trial.case.ts'
import type { Event } from '../../types/events.v1.ts'
import { eventOfEventsGroup } from './event.ts'

const whole = {
  regarding: { namespace: 'ns' },
  eventTime: '2024-01-01T00:00:00.000000Z',
  reportingController: 'c',
  reportingInstance: 'i',
  action: 'A',
  reason: 'R',
  type: 'Normal',
}

const cases: readonly [object, readonly string[]][] = [
  [whole, []],
  [
    {},
    [
      'involvedObject.namespace: Invalid value: "": does not match event.namespace',
      'eventTime: Required value',
      'type: Invalid value: "": has invalid value: ',
    ],
  ],
  [
    { ...whole, action: '', deprecatedCount: 2 },
    ['action: Required value', 'count: Invalid value: "": needs to be unset'],
  ],
  [
    { ...whole, series: { count: 1, lastObservedTime: whole.eventTime } },
    ['series.count: Invalid value: "": should be at least 2'],
  ],
]

test('events are refused in the words of the API server', () => {
  for (const [manifest, expected] of cases) assert.deepEqual(tryCreate(eventOfEventsGroup, manifest).messages, expected)
})

test('what happened has happened, only how often may change', () => {
  const created = tryCreate(eventOfEventsGroup, whole)
  const change = (edit: (draft: { series?: object; reason?: string }) => void): readonly string[] => {
    const { object } = tryUpdate<Event>(eventOfEventsGroup, created, (draft) => edit(draft as never))
    const errors = eventOfEventsGroup.validateUpdate?.(object, created.object) ?? []
    return errors.map(({ field, message }) => `${field}: ${message}`)
  }
  assert.deepEqual(
    change((draft) => void (draft.series = { count: 3, lastObservedTime: whole.eventTime })),
    [],
  )
  assert.deepEqual(
    change((draft) => void (draft.reason = 'Other')),
    ['reason: Invalid value: "Other": field is immutable'],
  )
})
