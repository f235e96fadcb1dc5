import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImageInfo } from '../cri/image.ts'
import { chooseImages, type ImageChoice } from './choose-images.ts'

function image(id: string, more: Partial<ImageInfo> = {}): ImageInfo {
  return { id, repoTags: [id], repoDigests: [], sizeBytes: 10, username: '', pinned: false, ...more }
}

const minuteMs = 60_000
const base: ImageChoice = {
  images: [
    image('young'),
    image('used'),
    image('old'),
    image('older'),
    image('never'),
    image('pause', { pinned: true }),
  ],
  records: new Map([
    ['young', { firstSeenMs: 59 * minuteMs, lastUsedMs: 0 }],
    ['used', { firstSeenMs: 0, lastUsedMs: 60 * minuteMs }],
    ['old', { firstSeenMs: 0, lastUsedMs: 40 * minuteMs }],
    ['older', { firstSeenMs: 0, lastUsedMs: 20 * minuteMs }],
    ['never', { firstSeenMs: 5, lastUsedMs: 0 }],
    ['pause', { firstSeenMs: 0, lastUsedMs: 0 }],
  ]),
  inUse: new Set(['used']),
  bytesToFree: Infinity,
  minimumAgeMs: 2 * minuteMs,
  nowMs: 60 * minuteMs,
}

test('images go by the time of their last use, and those in use never', () => {
  const ids = (change: Partial<ImageChoice>): readonly string[] =>
    chooseImages({ ...base, ...change }).map(({ id }) => id)
  assert.deepEqual(ids({}), ['never', 'older', 'old'])
  assert.deepEqual(ids({ bytesToFree: 11 }), ['never', 'older'])
  assert.deepEqual(ids({ bytesToFree: 0 }), [])
  assert.deepEqual(ids({ minimumAgeMs: 0 }), ['never', 'young', 'older', 'old'])
  assert.deepEqual(ids({ inUse: new Set(['used', 'never', 'old']) }), ['older'])
})
