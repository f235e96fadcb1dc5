import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { addTotals, readTotals, runTests } from './run-tests.ts'
import report from './test-reporter.ts'

const counted = 'coracle-test-totals {"passed":4,"failed":0,"skipped":1}\n'

test('readTotals() finds the last totals below whatever tests print', () => {
  assert.deepEqual(readTotals(`noise\n${counted}more\n`, true), { passed: 4, failed: 0, skipped: 1 })
})

test('readTotals() counts a run that crashed as a failure', () => {
  assert.deepEqual(readTotals('Segmentation fault\n', false), { passed: 0, failed: 1, skipped: 0 })
  assert.deepEqual(readTotals(counted, false), { passed: 4, failed: 1, skipped: 1 })
})

test('addTotals() adds up', () => {
  const sum = addTotals([readTotals(counted, true), readTotals('', false)])
  assert.deepEqual(sum, { passed: 4, failed: 1, skipped: 1 })
})

async function reportText(...events: object[]): Promise<string> {
  const stream = (async function* () {
    yield* events
  })() as Parameters<typeof report>[0]
  return (await Array.fromAsync(report(stream))).join('')
}

test('report() shows failures with their cause, skipped tests with their reason, and the totals', async () => {
  const cause = Object.assign(new Error('no such pod'), { stack: 'Error: no such pod\n    at here' })
  const text = await reportText(
    { type: 'test:pass', data: { name: 'quiet', details: { duration_ms: 1 } } },
    { type: 'test:pass', data: { name: 'rootless', skip: 'needs root', details: { duration_ms: 1 } } },
    { type: 'test:fail', data: { name: 'loud', details: { duration_ms: 1, error: new Error('x', { cause }) } } },
    { type: 'test:fail', data: { name: 'parent', details: { error: { failureType: 'subtestsFailed' } } } },
    { type: 'test:summary', data: { file: undefined, counts: { tests: 4, passed: 1, skipped: 1, todo: 0 } } },
  )
  assert.equal(
    text,
    'skipped rootless: needs root\n' +
      'FAILED loud (no file)\n    Error: no such pod\n        at here\n' +
      'coracle-test-totals {"passed":1,"failed":2,"skipped":1}\n',
  )
})

test('runTests() counts a file that throws after its first test is registered', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'coracle-gate-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'broken.test.ts')
  await writeFile(file, "import { test } from 'node:test'\ntest('first', () => undefined)\nthrow new Error('later')\n")
  const { totals, output } = await runTests([file], { timeoutMs: 30_000 })
  assert.deepEqual(totals, { passed: 1, failed: 1, skipped: 0 })
  assert.match(output, /broken\.test\.ts threw while it loaded/)
})
