/**
 * The house style as a program: the room table, import cycles, dead code, banned text, sizes, packages, prose and
 * generated files. Prints one line for each breach and exits with 1. `--shrink` lowers the size ledger.
 */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bannedProblems } from './tidy/banned.ts'
import { unusedExportProblems } from './tidy/export-rules.ts'
import { cycleProblems, deadFileProblems, isGenerated } from './tidy/graph-rules.ts'
import { importProblems } from './tidy/import-rules.ts'
import { markdownProblems } from './tidy/markdown-rules.ts'
import { formatProblem } from './tidy/problem.ts'
import type { Problem } from './tidy/problem.ts'
import { readProject } from './tidy/project-files.ts'
import type { ProjectFiles } from './tidy/project-files.ts'
import { shrinkLedger, sizeProblems } from './tidy/size-rules.ts'
import type { SizeLedger } from './tidy/size-rules.ts'

const root = join(import.meta.dirname, '..')
const ledgerPath = join(import.meta.dirname, 'tidy/sizes.json')

/** Programs that own generated files, run with `--check`. */
const generators = [
  'scripts/generate-types.ts',
  'scripts/generate-cri.ts',
  'scripts/generate-etcd.ts',
  'scripts/generate-csi.ts',
]

/** Files that nothing reaches, and exports without a user. */
function deadCode({ sources }: ProjectFiles): Problem[] {
  return [...deadFileProblems(sources), ...unusedExportProblems(sources)]
}

function breaches({ sources, pages }: ProjectFiles, ledger: SizeLedger): Problem[] {
  const written = sources.filter((file) => !isGenerated(file.path))
  return [
    ...importProblems(sources, declaredPackages()),
    ...cycleProblems(sources),
    ...written.flatMap(bannedProblems),
    ...sizeProblems(sources, ledger),
    ...pages.flatMap(({ path, text }) => markdownProblems(path, text)),
  ]
}

function declaredPackages(): Set<string> {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, object>
  const groups = ['dependencies', 'devDependencies', 'optionalDependencies']
  return new Set(groups.flatMap((group) => Object.keys(manifest[group] ?? {})))
}

async function staleProblems(script: string): Promise<Problem[]> {
  try {
    await promisify(execFile)(process.execPath, [join(root, script), '--check'])
    return []
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    return [{ path: script, line: 0, message: stderr?.trim() || String(error) }]
  }
}

const generated = Promise.all(generators.map(staleProblems))
const project = readProject(root)
const ledger = JSON.parse(readFileSync(ledgerPath, 'utf8')) as SizeLedger
if (process.argv.includes('--shrink')) {
  writeFileSync(ledgerPath, `${JSON.stringify(shrinkLedger(project.sources, ledger), null, 2)}\n`)
} else {
  const problems = [...breaches(project, ledger), ...deadCode(project), ...(await generated).flat()]
  for (const problem of problems) process.stdout.write(`${formatProblem(problem)}\n`)
  process.stdout.write(`tidy: ${project.sources.length} files, ${problems.length} problems\n`)
  process.exitCode = problems.length === 0 ? 0 : 1
}
