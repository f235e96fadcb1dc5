import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { SlowWatcherError } from '../store.ts'
import { EventBatches, type EventBatch } from './event-batches.ts'
import { Event_Type, WatchResponseSchema, type EventSchema, type WatchResponse } from './generated/etcd_pb.ts'
import { KeySpace } from './key-space.ts'

type DraftEvent = MessageInitShape<typeof EventSchema>

const record = (key: string, created: number, modified: number) => {
  const value = Buffer.from(String(modified))
  return { key: Buffer.from(key), value, createRevision: BigInt(created), modRevision: BigInt(modified) }
}
const created = (key: string, revision: number): DraftEvent => ({ kv: record(key, revision, revision) })
const updated = (key: string, revision: number, before?: number): DraftEvent => ({
  kv: record(key, 2, revision),
  ...(before !== undefined && { prevKv: record(key, 2, before) }),
})
const deleted = (key: string, revision: number, before?: number): DraftEvent => ({
  type: Event_Type.DELETE,
  ...updated(key, revision, before),
})
const response = (
  events: DraftEvent[],
  more: { fragment?: boolean; created?: boolean; at?: number } = {},
): WatchResponse => {
  const { at = 0, ...flags } = more
  return create(WatchResponseSchema, { events, ...flags, header: { revision: BigInt(at) } })
}
const text = ({ events, through }: EventBatch): string => {
  const lines = events.map(({ key, revision, value, previous }) => {
    return `${revision} ${key} ${previous?.modRevision ?? '-'}>${value ? Buffer.from(value).toString() : '-'}`
  })
  return [...lines, `through ${through}`].join(', ')
}
const batches = (): EventBatches => new EventBatches(new KeySpace(''), 'a', 4)

for (const [title, answer, expected] of [
  [
    'a creation, an update, a deletion',
    response([created('a', 5), updated('a', 6, 5), deleted('a', 7, 6)]),
    '5 a ->5, 6 a 5>6, 7 a 6>-, through 7',
  ],
  ['what was seen before is dropped', response([updated('a', 4), created('a1', 5)]), '5 a1 ->5, through 5'],
  ['other keys and the marker only move the place', response([created('b', 5), updated('\0', 6)]), 'through 6'],
  ['the answer that begins a stream says nothing', response([], { created: true, at: 9 }), 'through 4'],
  ['a notice of progress', response([], { at: 9 }), 'through 9'],
  ['an old notice of progress', response([], { at: 3 }), 'through 4'],
] as const) {
  test(title, () => assert.equal(text(batches().take(answer)), expected))
}

test('a commit that came in fragments stays whole', () => {
  const stream = batches()
  const fragment = true
  const seen = [
    stream.take(response([created('a1', 5), created('a1', 6)], { fragment })),
    stream.take(response([created('a2', 6)], { fragment })),
    stream.take(response([], { fragment })),
    stream.take(response([created('a3', 6), created('a4', 7)], { fragment })),
    stream.take(response([created('a5', 7)])),
  ]
  assert.deepEqual(seen.map(text), [
    '5 a1 ->5, through 5',
    'through 5',
    'through 5',
    '6 a1 ->6, 6 a2 ->6, 6 a3 ->6, through 6',
    '7 a4 ->7, 7 a5 ->7, through 7',
  ])
})

test('an event whose past is compacted cuts the watcher off', () => {
  assert.throws(() => batches().take(response([updated('a', 5)])), SlowWatcherError)
  assert.throws(() => batches().take(response([deleted('a', 5)])), SlowWatcherError)
})
