/**
 * The whole proof, as `npm test` runs it: makes the machine ready, runs the gate, then every file of `test/cluster` one
 * after another; those that take nothing of the machine go beside each other first. The last line is `N passed, N failed`
 * and nothing else.
 */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { installPackages, missingPackages } from '#host/prerequisites.ts'
import { runGate } from './gate/run-gate.ts'
import { watchForLeft, type LeftWatch } from './gate/left-behind.ts'
import { root } from './gate/run-program.ts'
import { addTotals, runTests } from './gate/run-tests.ts'
import type { TestTotals } from './gate/test-reporter.ts'

const clusterFileTimeoutMs = 900_000
/** Beside what the product itself needs: what the cluster tests use to look at it from outside, and where it lies. */
const testPackages: Readonly<Record<string, string>> = {
  curl: '/{usr/,}bin/curl',
  dbus: '/{usr/,}bin/dbus-daemon',
  procps: '/{usr/,}bin/ps',
  'python3-kubernetes': '/usr/lib/python3/dist-packages/kubernetes',
  systemd: '/{usr/,}lib/systemd/systemd-logind',
  'util-linux': '/{usr/,}bin/nsenter',
}

const write = (text: string): void => void process.stdout.write(text)

async function prepareMachine(): Promise<TestTotals> {
  const missing = [...missingPackages(), ...missingTools()]
  if (missing.length === 0) return { passed: 0, failed: 0, skipped: 0 }
  if (process.getuid?.() !== 0) {
    write(`note: not root, so ${missing.join(', ')} cannot be installed; tests that need them are skipped\n`)
    return { passed: 0, failed: 0, skipped: 0 }
  }
  try {
    write(`installing ${missing.join(', ')}\n`)
    await installPackages(missing)
    return { passed: 0, failed: 0, skipped: 0 }
  } catch (error) {
    write(`FAILED to install: ${(error as Error).message}\n`)
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

function missingTools(): string[] {
  return Object.keys(testPackages).filter((name) => globSync(testPackages[name] ?? '').length === 0)
}

async function runClusterFile(file: string, whatIsLeft: LeftWatch | undefined): Promise<TestTotals> {
  write(`\n${file}\n`)
  const run = await runTests([file], { timeoutMs: clusterFileTimeoutMs, onOutput: write, list: true })
  const left = (await whatIsLeft?.()) ?? []
  if (left.length > 0) write(`FAILED ${file} leaves on the machine:\n${left.map((line) => `    ${line}\n`).join('')}`)
  const totals = left.length > 0 ? { ...run.totals, failed: run.totals.failed + 1 } : run.totals
  write(`${file}: ${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`)
  return totals
}

/** Whether the whole cluster of the file's tests lives in the process of the tests: it takes nothing of the machine. */
function isInProcess(file: string): boolean {
  return readFileSync(join(root, file), 'utf8').includes('simulation/whole-cluster.ts')
}

function everySecond(files: readonly string[], first: number): readonly string[] {
  return files.filter((_file, index) => index % 2 === first)
}

/** Files that start servers of etcd or writers of a database, and no node: folders of their own are all they take. */
const withoutNode = ['test/cluster/etcd-store.test.ts', 'test/cluster/storage-kill.test.ts']

/** Files that need not wait for others, in one process; what they say comes in one piece. */
async function runBeside(files: readonly string[]): Promise<TestTotals> {
  const { totals: counted, output } = await runTests(files, { timeoutMs: clusterFileTimeoutMs, list: true })
  write(`\n${files.join('\n')}\n${output}`)
  write(`${files.length} files: ${counted.passed} passed, ${counted.failed} failed, ${counted.skipped} skipped\n`)
  return counted
}

// Whoever changes what is shared must be found out by the tests; a server that users run does not pay for the search.
process.env['CORACLE_FREEZE'] = 'deep'
const totals: TestTotals[] = [await prepareMachine(), await runGate(write)]
const clusterFiles = globSync('test/cluster/*.test.ts', { cwd: root }).sort()
const whatIsLeft = process.getuid?.() === 0 ? await watchForLeft() : undefined
const inProcess = clusterFiles.filter(isInProcess)
const groups = [0, 1].map((half) => everySecond(inProcess, half))
const alone = [...groups, ...withoutNode.map((file) => [file])]
totals.push(...(await Promise.all(alone.map(runBeside))))
const onMachine = clusterFiles.filter((file) => !alone.flat().includes(file))
for (const file of onMachine) totals.push(await runClusterFile(file, whatIsLeft))
const { passed, failed, skipped } = addTotals(totals)
if (skipped > 0) write(`\n${skipped} skipped: cluster tests need root on Linux\n`)
write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
