import type { Problem } from './problem.ts'
import { apart, impureBuiltIns, roomOf, rooms } from './rooms.ts'
import { isTestFile } from './source-file.ts'
import type { ImportEdge, SourceFile } from './source-file.ts'

/** The room table, the two forms of a path (inside a room relative, across rooms `#room/`) and the package lists. */
export function importProblems(files: readonly SourceFile[], declaredPackages: ReadonlySet<string>): Problem[] {
  const paths = new Set(files.map((file) => file.path))
  return files.flatMap((file) =>
    file.imports.flatMap((edge) => {
      const message =
        edge.target === undefined ? packageFault(file, edge, declaredPackages) : pathFault(file, edge, paths)
      return message === undefined ? [] : [{ path: file.path, line: edge.line, message }]
    }),
  )
}

function pathFault(file: SourceFile, edge: ImportEdge, paths: ReadonlySet<string>): string | undefined {
  const target = edge.target ?? ''
  if (target.endsWith('.ts') && !paths.has(target)) return `imports '${edge.specifier}', which does not exist`
  return formFault(file.path, target, edge.specifier) ?? roomFault(file.path, target)
}

function formFault(path: string, target: string, specifier: string): string | undefined {
  const from = roomOf(path)
  const to = roomOf(target)
  const isRelative = specifier.startsWith('.')
  if (from === to && from !== undefined && !isRelative) return `import '${specifier}' relatively: it is the same room`
  if (from !== to && to !== undefined && isRelative) return `import across rooms as '#${target.slice('src/'.length)}'`
  return undefined
}

function roomFault(path: string, target: string): string | undefined {
  const from = roomOf(path)
  const to = roomOf(target)
  if (from === undefined || isTestFile(path)) return undefined
  const room = rooms[from]
  if (!room) return `'src/${from}' has no row in scripts/tidy/rooms.ts: give the room one`
  if (to === undefined) return `product code may not import '${target}': move it below src/`
  if (to !== from && !room.rooms.includes(to)) {
    return `room '${from}' may not import '${to}' (it may: ${room.rooms.join(', ') || 'nothing'}): move the shared fact down, to api or lib`
  }
  const clash = apart.find((folders) => folders.some(contains(path)) && folders.some(contains(target)))
  const [mine, theirs] = [clash?.find(contains(path)), clash?.find(contains(target))]
  return mine === theirs ? undefined : `'${mine}' and '${theirs}' never import each other: meet in the API`
}

function contains(path: string): (folder: string) => boolean {
  return (folder) => path.startsWith(`src/${folder}/`)
}

function packageFault(file: SourceFile, edge: ImportEdge, declared: ReadonlySet<string>): string | undefined {
  const { specifier } = edge
  const from = roomOf(file.path)
  if (specifier.startsWith('node:')) {
    const readsFacts = file.path.startsWith('src/api/schema/') && specifier === 'node:fs'
    const isImpure = from === 'api' && !isTestFile(file.path) && !readsFacts && impureBuiltIns.test(specifier)
    return isImpure ? `room 'api' is pure and may not import '${specifier}': pass the fact in` : undefined
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  if (!declared.has(name)) return `'${name}' is not in package.json; built-in modules are written 'node:${name}'`
  if (from === undefined || isTestFile(file.path) || rooms[from]?.packages.includes(name)) return undefined
  return `room '${from}' may not use the package '${name}' (scripts/tidy/rooms.ts lists what it may use)`
}
