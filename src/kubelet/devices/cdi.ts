import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RuntimeVersion } from '../cri/runtime.ts'
import type { ContainerGrants } from './container-grants.ts'

/** Where vendors put their descriptions (Container Device Interface, "CDI JSON Specification"); the later wins. */
export const cdiFolders: readonly string[] = ['/etc/cdi', '/var/run/cdi']

/** containerd understands device names since 1.7; before, the kubelet applies what they stand for itself. */
export function runtimeKnowsCdi({ name, version }: RuntimeVersion): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return name !== 'containerd' || major > 1 || minor >= 7
}

interface ContainerEdits {
  readonly env?: readonly string[]
  readonly deviceNodes?: readonly { readonly path: string; readonly hostPath?: string; readonly permissions?: string }[]
  readonly mounts?: readonly {
    readonly hostPath: string
    readonly containerPath: string
    readonly options?: readonly string[]
  }[]
  readonly hooks?: readonly unknown[]
}

interface CdiSpec {
  readonly kind: string
  readonly devices?: readonly { readonly name: string; readonly containerEdits?: ContainerEdits }[]
  readonly containerEdits?: ContainerEdits
}

/** The grants with the devices' environment, nodes and mounts in place of their names. Throws for unknown devices. */
export async function withCdiEdits(grants: ContainerGrants, folders: readonly string[]): Promise<ContainerGrants> {
  if (grants.cdiDevices.length === 0) return grants
  const specs = await readSpecs(folders)
  const edits = editsOf(grants.cdiDevices, specs)
  return {
    ...grants,
    cdiDevices: [],
    env: [...grants.env, ...edits.flatMap(({ env = [] }) => env.map(variable))],
    devices: [...grants.devices, ...edits.flatMap(({ deviceNodes = [] }) => deviceNodes.map(deviceNode))],
    mounts: [...grants.mounts, ...edits.flatMap(({ mounts = [] }) => mounts.map(mount))],
  }
}

/** What each device brings, and once for each kind what all its devices bring. */
function editsOf(names: readonly string[], specs: readonly CdiSpec[]): readonly ContainerEdits[] {
  const used = new Set<CdiSpec>()
  const own = names.map((name) => {
    const at = name.lastIndexOf('=')
    const [kind, deviceName] = [name.slice(0, at), name.slice(at + 1)]
    const spec = specs.findLast(
      (each) => each.kind === kind && each.devices?.some((device) => device.name === deviceName),
    )
    if (spec === undefined) throw new Error(`unresolvable CDI devices ${name}`)
    used.add(spec)
    return spec.devices?.find((device) => device.name === deviceName)?.containerEdits ?? {}
  })
  const all = [...[...used].map(({ containerEdits = {} }) => containerEdits), ...own]
  if (all.some(({ hooks = [] }) => hooks.length > 0)) {
    throw new Error(`CDI devices ${names.join(', ')} need hooks, for which the container runtime is too old`)
  }
  return all
}

async function readSpecs(folders: readonly string[]): Promise<readonly CdiSpec[]> {
  const files: string[] = []
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => [])
    files.push(
      ...names
        .filter((name) => /\.(json|ya?ml)$/.test(name))
        .toSorted()
        .map((name) => join(folder, name)),
    )
  }
  // Loaded only on a node whose devices are described so.
  const { parseYamlDocuments } = await import('#lib/yaml.ts')
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  return texts.flatMap((text) => parseYamlDocuments(text).map(({ value }) => value as CdiSpec))
}

function variable(text: string): ContainerGrants['env'][number] {
  const at = text.indexOf('=')
  return { name: text.slice(0, at), value: text.slice(at + 1) }
}

function deviceNode({ path, hostPath, permissions }: NonNullable<ContainerEdits['deviceNodes']>[number]) {
  return { containerPath: path, hostPath: hostPath ?? path, permissions: permissions || 'rwm' }
}

function mount({ hostPath, containerPath, options = [] }: NonNullable<ContainerEdits['mounts']>[number]) {
  return { hostPath, containerPath, readOnly: options.includes('ro'), propagation: 'private' as const }
}
