import { kindNode } from '#api/schema/node.ts'

/** Upstream names the place its table of kinds comes from. */
const scheme = 'pkg/api/legacyscheme/scheme.go:30'

/**
 * Why an object that says it is of some kind cannot be read as the wanted one; undefined if it can, which it also can when
 * it is the same kind in another version.
 */
export function kindMismatch(
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
  wanted: { readonly group: string; readonly version: string; readonly kind: string },
): string | undefined {
  const cut = apiVersion.lastIndexOf('/')
  const [group, version] = [apiVersion.slice(0, Math.max(cut, 0)), apiVersion.slice(cut + 1)]
  if (group === wanted.group && version === wanted.version && kind === wanted.kind) return undefined
  if (kindNode(group, version, kind) === undefined) {
    return `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "${scheme}"`
  }
  if (kind === wanted.kind && (group === wanted.group || sameAcrossGroups.has(kind))) return undefined
  const packageName = wanted.group === '' ? 'core' : wanted.group.split('.')[0]
  return `converting (${version}.${kind}) to (${packageName}.${wanted.kind}): unknown conversion`
}

/** Events are one kind in two groups. */
const sameAcrossGroups: ReadonlySet<string> = new Set(['Event'])
