import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { TarEntry } from '#lib/tar.ts'

/** A text file of an image. */
export function textFile(path: string, lines: readonly string[], mode = 0o644): TarEntry {
  return { path, kind: 'file', content: Buffer.from(`${lines.join('\n')}\n`), mode }
}

export function directory(path: string, mode = 0o755): TarEntry {
  return { path, kind: 'directory', mode }
}

/** A program or library copied from an unpacked package, found under any of the given folders. */
export function copied(path: string, sources: readonly string[]): TarEntry {
  const source = sources.find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile())
  if (source === undefined) throw new Error(`None of these is a file: ${sources.join(', ')}`)
  return { path, kind: 'file', content: readFileSync(source), mode: 0o755 }
}

/**
 * The shared libraries that a program needs, and those that they need, out of unpacked packages: the closure over the
 * names in their dynamic sections. All of them go to `/lib`, with the loader at the path the program asks for.
 */
export function sharedLibraries(program: string, packages: readonly string[]): TarEntry[] {
  const available = new Map(packages.flatMap(librariesBelow))
  const found = new Map<string, Buffer>()
  const waiting = neededBy(readFileSync(program), available)
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const path = available.get(name)
    if (path === undefined || found.has(name)) continue
    const content = readFileSync(path)
    found.set(name, content)
    waiting.push(...neededBy(content, available))
  }
  return [...found].sort(byName).map(([name, content]) => {
    const folder = name.startsWith('ld-linux-x86-64') ? 'lib64' : 'lib'
    return { path: `${folder}/${name}`, kind: 'file', content, mode: 0o755 }
  })
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}

function librariesBelow(folder: string): [name: string, path: string][] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  const libraries = files.filter((entry) => /\.so(\.|$)/.test(entry.name) && !entry.parentPath.includes('/gconv'))
  return libraries.map((entry) => [entry.name, resolved(folder, join(entry.parentPath, entry.name))])
}

/** A package's links are meant to be read with the package as the root. */
function resolved(folder: string, path: string): string {
  try {
    const target = readlinkSync(path)
    return target.startsWith('/') ? join(folder, target) : realpathSync(path)
  } catch {
    return path
  }
}

/** A dynamic section names libraries as zero-terminated strings; a known library's name in the file is one of them. */
function neededBy(content: Buffer, available: ReadonlyMap<string, string>): string[] {
  return [...available.keys()].filter((name) => content.includes(`\0${basename(name)}\0`))
}
