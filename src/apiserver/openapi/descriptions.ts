import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'
import { once } from '#api/schema/load.ts'
import { parseDocComments } from './doc-comments.ts'

/** What types and their fields mean, in the words of the API reference. */
export interface Descriptions {
  /** Changes where the texts may differ: a part of the documents' hashes. */
  readonly edition: string
  /** The text about a type (`field` empty) or one of its fields; undefined where there is none. */
  of(typeName: string, field: string): string | undefined
}

/** Descriptions of nothing: the documents are complete but for them. */
export const noDescriptions: Descriptions = { edition: 'none', of: () => undefined }

/**
 * Reads descriptions from the declarations of `@kubernetes/client-node`, which carry the API reference as doc comments,
 * each file when its type is first asked for. Answers `noDescriptions` where the package is not installed.
 */
export const installedDescriptions: () => Descriptions = once(() => {
  const manifest = manifestPath()
  if (manifest === undefined) return noDescriptions
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }
  return descriptionsIn(join(dirname(manifest), 'dist/gen/models'), version)
})

/** Descriptions from the declaration files of a folder, one class each. */
export function descriptionsIn(folder: string, edition: string): Descriptions {
  const known = new Map<string, ReadonlyMap<string, string>>()
  const commentsOf = (typeName: string): ReadonlyMap<string, string> => {
    const cached = known.get(typeName)
    if (cached !== undefined) return cached
    const comments = readComments(folder, typeName)
    known.set(typeName, comments)
    return comments
  }
  return {
    edition,
    of(typeName, field) {
      return commentsOf(typeName).get(memberKey(field))
    },
  }
}

function manifestPath(): string | undefined {
  try {
    return findPackageJSON('@kubernetes/client-node', import.meta.url)
  } catch {
    return undefined
  }
}

function readComments(folder: string, typeName: string): ReadonlyMap<string, string> {
  for (const name of classNames(typeName)) {
    const text = readIfThere(join(folder, `${name}.d.ts`))
    if (text === undefined) continue
    const members = parseDocComments(text).map(({ member, text: about }) => [memberKey(member), about] as const)
    return new Map(members)
  }
  return new Map()
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** `V1Pod`, or with its group before it where several groups have such a kind: `CoreV1Event`. */
function classNames(typeName: string): string[] {
  const [kind = '', version = '', group = ''] = typeName.split('.').toReversed()
  return [`${capitalized(group)}${capitalized(version)}${kind}`, `${capitalized(version)}${kind}`]
}

function capitalized(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}

/** `_continue` stands for `continue` and `x_kubernetes_validations` for `x-kubernetes-validations`. */
function memberKey(name: string): string {
  return name.replace(/[^a-zA-Z0-9]/g, '').toLowerCase()
}
