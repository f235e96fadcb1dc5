import type { Problem } from './problem.ts'
import { roomOf } from './rooms.ts'
import type { ImportEdge, SourceFile } from './source-file.ts'

type Graph = ReadonlyMap<string, readonly string[]>

function importGraph(files: readonly SourceFile[], follows: (edge: ImportEdge) => boolean): Graph {
  return new Map(files.map((file) => [file.path, file.imports.filter(follows).flatMap((edge) => edge.target ?? [])]))
}

/** Every import cycle once, written as the way round. */
export function cycleProblems(files: readonly SourceFile[]): Problem[] {
  const graph = importGraph(files, (edge) => edge.isLoaded)
  const finished = new Set<string>()
  const problems: Problem[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const entered = trail.indexOf(path)
    if (entered !== -1) {
      const way = [...trail.slice(entered), path].join(' → ')
      problems.push({ path, line: 0, message: `import cycle: ${way}; move what both need into a third file` })
      return
    }
    if (finished.has(path)) return
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path])
    finished.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return problems
}

/** Files of the product that nothing starts: not from `src/main/`, and not from a test, script or benchmark. */
export function deadFileProblems(files: readonly SourceFile[]): Problem[] {
  const graph = importGraph(files, () => true)
  const reached = new Set<string>()
  const waiting = files.map((file) => file.path).filter(isRoot)
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue
    reached.add(path)
    waiting.push(...(graph.get(path) ?? []))
  }
  const dead = files.filter((file) => !reached.has(file.path))
  return dead.map(({ path }) => ({ path, line: 0, message: 'nothing imports this file: use it or delete it' }))
}

function isRoot(path: string): boolean {
  return roomOf(path) === undefined || roomOf(path) === 'main' || path.endsWith('.test.ts') || isGenerated(path)
}

/** Folders that a generator owns; size, style and use are its business. */
export function isGenerated(path: string): boolean {
  return (
    path.startsWith('src/api/types/') ||
    /^src\/(kubelet\/(cri|csi|plugins|devices|claims)|storage\/etcd)\/generated\//.test(path)
  )
}
