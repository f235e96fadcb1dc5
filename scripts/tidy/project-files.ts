import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sourceFile } from './source-file.ts'
import type { SourceFile } from './source-file.ts'

/** A prose page or a data file: everything that is not TypeScript. */
export interface OtherFile {
  readonly path: string
  readonly text: string
}

export interface ProjectFiles {
  readonly sources: readonly SourceFile[]
  readonly pages: readonly OtherFile[]
}

const folders = ['src', 'scripts', 'test', 'bench', 'docs']

/** Reads every source and every Markdown page of the project below `root`. */
export function readProject(root: string): ProjectFiles {
  const paths = [...rootFiles(root), ...folders.flatMap((folder) => filesBelow(root, folder))]
  const read = (path: string): string => readFileSync(join(root, path), 'utf8')
  return {
    sources: paths.filter((path) => path.endsWith('.ts')).map((path) => sourceFile(path, read(path))),
    pages: paths.filter((path) => path.endsWith('.md')).map((path) => ({ path, text: read(path) })),
  }
}

function rootFiles(root: string): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
}

function filesBelow(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath.slice(root.length + 1)}/${entry.name}`)
}
