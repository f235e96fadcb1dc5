import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import { mountOf } from './empty-dir.ts'

const mebi = 1024 ** 2
const pod = (...resources: object[]): Pod =>
  ({ spec: { containers: resources.map((each) => ({ name: 'c', resources: each })) } }) as unknown as Pod
const pages = (...sizes: string[]): Pod =>
  pod({ requests: Object.fromEntries(sizes.map((size) => [`hugepages-${size}`, '4Mi'])) })
const allocatable = { memory: 100 * mebi }
const memory = (given: Pod, sizeLimit?: string): unknown =>
  mountOf(given, { medium: 'Memory', ...(sizeLimit !== undefined && { sizeLimit }) }, allocatable)

test('memory is as large as the smallest of its own limit, that of the pod and what the node has', () => {
  const size = (bytes: number): unknown => ({ type: 'tmpfs', options: `size=${bytes}` })
  assert.equal(mountOf(pod({}), {}, allocatable), undefined)
  assert.deepEqual(memory(pod({})), size(100 * mebi))
  assert.deepEqual(memory(pod({}), '5Mi'), size(5 * mebi))
  assert.deepEqual(memory(pod({ limits: { memory: '20Mi' } })), size(20 * mebi))
  assert.deepEqual(memory(pod({ limits: { memory: '20Mi' } }), '50Mi'), size(20 * mebi))
  assert.deepEqual(memory(pod({ limits: { memory: '20Mi' } }, {})), size(100 * mebi))
})

test('huge pages are of the size that the pod asks for', () => {
  const mount = (given: Pod, medium: string): unknown => mountOf(given, { medium }, allocatable)
  const two = { type: 'hugetlbfs', options: `pagesize=${2 * mebi}` }
  assert.deepEqual(mount(pages('2Mi'), 'HugePages'), two)
  assert.deepEqual(mount(pages('2Mi', '1Gi'), 'HugePages-2Mi'), two)
  assert.throws(() => mount(pages('2Mi', '1Gi'), 'HugePages'), /multiple huge page sizes/)
  assert.throws(() => mount(pages('1Gi'), 'HugePages-2Mi'), /^Error: medium HugePages-2Mi not found in pod resources$/)
  assert.throws(() => mount(pages(), 'HugePages'), /requests no huge pages/)
  assert.throws(() => mount(pages(), 'Tape'), /^Error: unknown storage medium "Tape"$/)
})
