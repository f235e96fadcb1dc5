import { runProgram } from './run-program.ts'
import { addTotals, runTests } from './run-tests.ts'
import type { TestTotals } from './test-reporter.ts'

interface Step {
  readonly name: string
  readonly file: string
  readonly args: readonly string[]
  /** What to do when it fails. */
  readonly mend: string
}

const steps: readonly Step[] = [
  { name: 'tidy', file: 'node', args: ['scripts/tidy.ts'], mend: 'each line above says what to use instead' },
  { name: 'types', file: 'tsc', args: ['--noEmit'], mend: 'npm run types' },
  { name: 'lint', file: 'oxlint', args: ['--type-aware'], mend: 'npm run lint; much is mended by npx oxlint --fix' },
  { name: 'format', file: 'oxfmt', args: ['--check', '.'], mend: 'npm run format' },
]

const stepTimeoutMs = 300_000
const unitPatterns = [
  'src/**/*.test.ts',
  'scripts/**/*.test.ts',
  'test/conformance/**/*.test.ts',
  'test/images/**/*.test.ts',
  'test/simulation/**/*.test.ts',
  'test/fuzz/**/*.test.ts',
]

/**
 * Runs the whole gate and writes what a reader needs. The totals are those of the unit tests; each other step that fails
 * counts as one failure.
 */
export async function runGate(write: (text: string) => void): Promise<TestTotals> {
  const checked = await Promise.all(steps.map((step) => runStep(step, write)))
  const unit = await runTests(unitPatterns, { timeoutMs: stepTimeoutMs })
  const { passed, failed, skipped } = unit.totals
  if (unit.output.trim() !== '') write(`${unit.output.trimEnd()}\n`)
  write(line('unit', failed === 0, unit.seconds, `${passed} passed, ${failed} failed, ${skipped} skipped`))
  return addTotals([...checked, unit.totals])
}

async function runStep(step: Step, write: (text: string) => void): Promise<TestTotals> {
  const { ok, output, seconds } = await runProgram(step.file, step.args, { timeoutMs: stepTimeoutMs })
  if (!ok) write(`${output.trimEnd()}\n`)
  write(line(step.name, ok, seconds, ok ? '' : `to mend: ${step.mend}`))
  return { passed: 0, failed: ok ? 0 : 1, skipped: 0 }
}

function line(name: string, ok: boolean, seconds: number, note: string): string {
  return `${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(8)} ${seconds.toFixed(1).padStart(5)} s  ${note}`.trimEnd() + '\n'
}
