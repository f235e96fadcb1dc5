import { dirname, join } from 'node:path/posix'
import { blank } from './blank.ts'
import type { BlankedText } from './blank.ts'

/** One import, re-export, `import()` or module path in a literal (a worker's file, say). */
export interface ImportEdge {
  readonly specifier: string
  readonly line: number
  /** Path from the repository root, where the specifier names a file of the project. */
  readonly target: string | undefined
  /** The imported names; `*` when all of them may be used. */
  readonly names: readonly string[]
  /** False for a path in a literal: the file is started, as a worker is, and not loaded. */
  readonly isLoaded: boolean
}

/** One TypeScript file, read and taken apart once for all rules. */
export interface SourceFile extends BlankedText {
  /** From the repository root, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly imports: readonly ImportEdge[]
}

/** Takes a file apart. */
export function sourceFile(path: string, text: string): SourceFile {
  const blanked = blank(text)
  return { path, text, ...blanked, imports: findImports(path, blanked) }
}

/** The line, from 1, of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}

/** Tests, contract suites and everything outside `src/` may import any room. */
export function isTestFile(path: string): boolean {
  return /\.(test|case)\.ts$/.test(path) || !path.startsWith('src/')
}

const importClause = /(?:^|[;\s}])(?:import|export)\b(?!\s*\()([^'"`;()]*?)\bfrom\s*$/
const bareImport = /(?:^|[;\s}])import\s*$/
const dynamicImport = /\bimport\s*\(\s*$/
const moduleText = /^(?:\.\.?\/|#)[^\n]*\.ts$/

function findImports(path: string, { code, literals }: BlankedText): ImportEdge[] {
  const edges: ImportEdge[] = []
  let previousEnd = 0
  for (const { at, value } of literals) {
    const before = code.slice(previousEnd, at)
    previousEnd = at + value.length + 2
    const clause = importClause.exec(before)?.[1]
    const isImport = clause !== undefined || bareImport.test(before) || dynamicImport.test(before)
    if (!isImport && !moduleText.test(value)) continue
    const names = clause === undefined ? ['*'] : importedNames(clause)
    const target = resolveSpecifier(path, value)
    edges.push({ specifier: value, line: lineAt(code, at), target, names, isLoaded: isImport })
  }
  return edges
}

function importedNames(clause: string): string[] {
  const braced = /\{([^}]*)\}/.exec(clause)?.[1]
  if (braced === undefined) return ['*']
  const names = braced.split(',').map(
    (part) =>
      part
        .trim()
        .replace(/^type\s+/, '')
        .split(/\s+as\s+/)[0] ?? '',
  )
  return names.filter((name) => name !== '')
}

function resolveSpecifier(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return join(dirname(path), specifier)
  if (specifier.startsWith('#test/')) return specifier.slice(1)
  return specifier.startsWith('#') ? `src/${specifier.slice(1)}` : undefined
}
