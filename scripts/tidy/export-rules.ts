import { isGenerated } from './graph-rules.ts'
import type { Problem } from './problem.ts'
import { lineAt } from './source-file.ts'
import type { SourceFile } from './source-file.ts'

const declaration =
  /^export (?:default )?(?:async )?(?:abstract )?(function\*?|const|let|class|interface|type) +([\w$]+)/gm

/** Exports that no other file imports. A type that its own file mentions again is part of a signature and may stay. */
export function unusedExportProblems(files: readonly SourceFile[]): Problem[] {
  const used = new Map<string, Set<string>>()
  for (const edge of files.flatMap((file) => file.imports)) {
    const names = used.getOrInsertComputed(edge.target ?? edge.specifier, () => new Set<string>())
    for (const name of edge.names) names.add(name)
  }
  return files
    .filter((file) => file.path.startsWith('src/') && !file.path.startsWith('src/main/') && !isGenerated(file.path))
    .flatMap((file) => unusedIn(file, used.get(file.path) ?? new Set()))
}

function unusedIn(file: SourceFile, used: ReadonlySet<string>): Problem[] {
  if (used.has('*')) return []
  const unused = file.code.matchAll(declaration).filter(([, kind, name = '']) => {
    const isType = kind === 'interface' || kind === 'type'
    return !used.has(name) && !(isType && mentions(file.code, name) > 1)
  })
  return [...unused].map(({ index, 2: name }) => ({
    path: file.path,
    line: lineAt(file.code, index),
    message: `nothing imports '${name}': drop the export, or the code`,
  }))
}

function mentions(code: string, name: string): number {
  return code.split(new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])`)).length - 1
}
