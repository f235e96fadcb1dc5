import { execFile } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdirSync } from 'node:fs'
import { mkdtemp, realpath, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { unpackDebianPackages } from './debian-packages.ts'

const run = promisify(execFile)

/** Folders with the programs of containerd 2 (with its shims and `ctr`) and of the newer CNI plugins. */
export interface SidContainerd {
  readonly binaryDir: string
  readonly cniBinaryDir: string
}

/** containerd 2 and CNI plugins from Debian's sid suite: they run on Debian 12 as they are. */
export async function sidContainerd(): Promise<SidContainerd> {
  const [containerd = '', plugins = ''] = await unpackDebianPackages('sid', [
    'containerd',
    'containernetworking-plugins',
  ])
  return { binaryDir: join(containerd, 'usr/bin'), cniBinaryDir: join(plugins, 'usr/lib/cni') }
}

const loader = 'ld-linux-x86-64.so.2'

/**
 * The folder with a `runc` from Debian's sid suite, which can give pods users of their own. It needs a newer C library
 * than Debian 12 has: this copy of it looks for that library beside itself, and nobody else does.
 */
export async function sidRunc(): Promise<string> {
  const names = ['runc', 'libc6', 'libseccomp2']
  const packages = await unpackDebianPackages('sid', names)
  const [patchelf = ''] = await unpackDebianPackages('bookworm', ['patchelf'])
  const program = join(patchelf, 'usr/bin/patchelf')
  const cache = await realpath(dirname(packages[0] as string))
  const folder = join(cache, 'runc-with-libc')
  const interpreter = join(folder, 'lib', loader)
  if (existsSync(folder)) {
    const { stdout } = await run(program, ['--print-interpreter', join(folder, 'runc')])
    if (stdout.trim() === interpreter) return folder
    // The checkout was moved since.
    await rm(folder, { recursive: true })
  }
  const fresh = await mkdtemp(join(cache, '.runc-'))
  try {
    mkdirSync(join(fresh, 'lib'))
    for (const path of packages.flatMap((each) => globSync(join(each, 'usr/lib/*-linux-gnu/*.so*'))))
      cpSync(path, join(fresh, 'lib', path.slice(path.lastIndexOf('/') + 1)), { verbatimSymlinks: true })
    const runc = join(fresh, 'runc')
    cpSync(join(packages[0] as string, 'usr/sbin/runc'), runc)
    await run(program, ['--set-interpreter', interpreter, '--set-rpath', dirname(interpreter), runc])
    await rename(fresh, folder).catch(ignoreIfThere)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  return folder
}

/** Somebody who was faster has made the same. */
function ignoreIfThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
}
