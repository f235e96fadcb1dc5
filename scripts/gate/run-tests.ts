import { runProgram } from './run-program.ts'
import { totalsMark } from './test-reporter.ts'
import type { TestTotals } from './test-reporter.ts'

export interface TestRun {
  readonly totals: TestTotals
  /** What a reader needs: failures and skipped tests, without the machine-readable line. */
  readonly output: string
  readonly seconds: number
}

export interface TestRunOptions {
  readonly timeoutMs: number
  readonly onOutput?: (text: string) => void
  /** Name every test that passes, too. */
  readonly list?: boolean
}

/**
 * Runs test files or patterns in one process and counts their tests. A run that ends without its totals (a crash, the
 * time limit) counts as one failure more.
 */
export async function runTests(patterns: readonly string[], options: TestRunOptions): Promise<TestRun> {
  const { timeoutMs, onOutput } = options
  const args = ['--test', '--test-isolation=none', '--import=./scripts/gate/files-loaded.ts']
  args.push('--test-reporter=./scripts/gate/test-reporter.ts', ...patterns)
  const result = await runProgram(process.execPath, args, {
    timeoutMs,
    ...(onOutput && { onOutput: (text: string) => onOutput(withoutTotals(text)) }),
    ...(options.list && { environment: { CORACLE_TEST_LIST: '1' } }),
  })
  const totals = readTotals(result.output, result.ok)
  return { totals, output: withoutTotals(result.output), seconds: result.seconds }
}

/** Finds the totals in the output of a run; `ok` is whether the runner itself ended well. */
export function readTotals(output: string, ok: boolean): TestTotals {
  const line = output.split('\n').findLast((text) => text.startsWith(totalsMark))
  if (line === undefined) return { passed: 0, failed: 1, skipped: 0 }
  const totals = JSON.parse(line.slice(totalsMark.length)) as TestTotals
  return !ok && totals.failed === 0 ? { ...totals, failed: 1 } : totals
}

/** The sum of several runs. */
export function addTotals(runs: readonly TestTotals[]): TestTotals {
  const sum = (pick: (totals: TestTotals) => number): number => runs.reduce((total, run) => total + pick(run), 0)
  return { passed: sum((run) => run.passed), failed: sum((run) => run.failed), skipped: sum((run) => run.skipped) }
}

function withoutTotals(text: string): string {
  return text.replaceAll(new RegExp(`^${totalsMark}.*\n`, 'gm'), '')
}
