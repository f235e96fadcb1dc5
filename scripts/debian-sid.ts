import { join } from 'node:path'
import { unpackDebianPackages } from './debian-packages.ts'

/** Folders with the programs of containerd 2 (with its shims and `ctr`) and of the newer CNI plugins. */
export interface SidContainerd {
  readonly binaryDir: string
  readonly cniBinaryDir: string
}

/** containerd 2 and CNI plugins from Debian's sid suite: they run on Debian 12, while runc from sid does not. */
export async function sidContainerd(): Promise<SidContainerd> {
  const [containerd = '', plugins = ''] = await unpackDebianPackages('sid', [
    'containerd',
    'containernetworking-plugins',
  ])
  return { binaryDir: join(containerd, 'usr/bin'), cniBinaryDir: join(plugins, 'usr/lib/cni') }
}
