import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import type { TestEvent } from 'node:test/reporters'
import { filesNotLoaded } from './files-loaded.ts'

/** What one run of the test runner came to. */
export interface TestTotals {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** Marks the line that carries the totals, so that the parent finds it below whatever the tests print. */
export const totalsMark = 'coracle-test-totals '

/**
 * A reporter for node:test that prints what needs a reader: every failure with its stack, every skipped test with its
 * reason, the passed ones only when `CORACLE_TEST_LIST` is set, and last the totals for the program that started it.
 */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type === 'test:fail') yield failureText(event.data)
    else if (event.type === 'test:pass') yield passText(event.data)
    else if (event.type === 'test:stderr' || event.type === 'test:stdout') yield event.data.message
    else if (event.type === 'test:diagnostic' && event.data.level === 'error') yield `${event.data.message}\n`
    else if (event.type === 'test:summary' && event.data.file === undefined)
      yield summary(event.data.counts, filesNotLoaded())
  }
}

type EventData<T extends TestEvent['type']> = Extract<TestEvent, { type: T }>['data']

function failureText(data: EventData<'test:fail'>): string {
  if (data.todo !== undefined) return ''
  const { error } = data.details
  // A failed parent only repeats that its subtests failed.
  if ((error as { failureType?: string }).failureType === 'subtestsFailed') return ''
  const cause =
    error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : inspect(error.cause ?? error)
  return `FAILED ${data.name} (${place(data)})\n${cause.replace(/^/gm, '    ')}\n`
}

function passText(data: EventData<'test:pass'>): string {
  if (data.skip !== undefined) return `skipped ${data.name}${typeof data.skip === 'string' ? `: ${data.skip}` : ''}\n`
  const isListed = process.env['CORACLE_TEST_LIST'] !== undefined && data.details.type !== 'suite'
  return isListed ? `passed ${data.name} (${Math.round(data.details.duration_ms)} ms)\n` : ''
}

function place({ file, line }: { file?: string | undefined; line?: number | undefined }): string {
  return file === undefined ? 'no file' : `${relative(process.cwd(), file)}:${line ?? 0}`
}

function summary(counts: EventData<'test:summary'>['counts'], notLoaded: readonly string[]): string {
  const totals: TestTotals = {
    passed: counts.passed,
    failed: counts.tests - counts.passed - counts.skipped - counts.todo + notLoaded.length,
    skipped: counts.skipped,
  }
  const files = notLoaded.map((url) => {
    const file = relative(process.cwd(), fileURLToPath(url))
    return `FAILED ${file} threw while it loaded, so not all of its tests have run: "node ${file}" shows why\n`
  })
  return `${files.join('')}${totalsMark}${JSON.stringify(totals)}\n`
}
