import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { copyFile, mkdir, rename, truncate } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { testImageArchive } from '../../test/images/build.ts'
import { root as checkout } from '../gate/run-program.ts'
import { kubectlPath } from '../kubectl.ts'
import { runTool } from './run-tool.ts'

const cache = join(checkout, '.cache/virtual-machine')
/** Compilers and checkers are half of the packages and have nothing to do in the guest. */
const leftOut = ['@oxlint', '@oxlint-tsgolint', '@typescript', '@bufbuild/buf-*', 'oxfmt', 'oxlint', 'typescript']
const sources = ['src', 'scripts', 'test', 'docs', 'coracle', 'package.json', 'package-lock.json', 'tsconfig.json']
const prepared = ['.cache/bundle', '.cache/images.tar', '.cache/images.tar.recipe']
/** The device keeps its size when another checkout is written into it. */
const checkoutDiskBytes = 1024 ** 3

/** A disk with `node_modules`, made again when the lock file has changed. */
export async function packagesDisk(): Promise<string> {
  const lock = createHash('sha256').update(readFileSync(join(checkout, 'package-lock.json')))
  const disk = join(cache, `packages-${lock.digest('hex').slice(0, 12)}.squashfs`)
  if (existsSync(disk)) return disk
  // The folder may be a link to the packages of another checkout.
  const folder = realpathSync(join(checkout, 'node_modules'))
  const out = leftOut.map((name) => `--exclude=node_modules/${name}`)
  await squash(`${disk}.new`, [...out, '-C', dirname(folder), 'node_modules'])
  await rename(`${disk}.new`, disk)
  return disk
}

/** A disk with the checkout as it is now, its bundle and what tests take from `.cache`: the same file each time. */
export async function checkoutDisk(): Promise<string> {
  await runTool('node', ['scripts/bundle.ts'])
  await testImageArchive()
  const kubectl = realpathSync(await kubectlPath())
  const disk = join(cache, 'checkout.squashfs')
  const debian = kubectl.slice(0, kubectl.indexOf('/sid/kubectl/'))
  const tools = ['--transform=s,^sid/,.cache/debian/sid/,', '-C', debian, 'sid/kubectl']
  await squash(`${disk}.new`, ['-C', checkout, ...sources, ...prepared, ...tools])
  // A machine that runs has the file open: it is written into, not replaced.
  await copyFile(`${disk}.new`, disk)
  await truncate(disk, checkoutDiskBytes)
  return disk
}

async function squash(to: string, tarWords: readonly string[]): Promise<void> {
  await mkdir(cache, { recursive: true })
  const script = 'to=$1; shift; tar -c "$@" | mksquashfs - "$to" -tar -noappend -no-progress -quiet -comp lz4'
  await runTool('bash', ['-o', 'pipefail', '-c', script, 'bash', to, ...tarWords])
}
