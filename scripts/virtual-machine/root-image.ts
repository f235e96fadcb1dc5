import { createHash } from 'node:crypto'
import { existsSync, globSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { unpackDebianPackages } from '../debian-packages.ts'
import { root as checkout } from '../gate/run-program.ts'
import { guestFiles, guestPrograms, maskedServices, wantedServices } from './guest-files.ts'
import { runTool } from './run-tool.ts'

const suite = 'trixie'
const packages = [
  ...['linux-image-cloud-amd64', 'initramfs-tools', 'lz4', 'systemd-sysv', 'dbus', 'udev', 'kmod', 'libpam-systemd'],
  ...['containerd', 'runc', 'crun', 'containernetworking-plugins', 'nftables', 'iproute2', 'apparmor', 'uidmap'],
  ...['nfs-kernel-server', 'nfs-common', 'procps', 'curl', 'util-linux', 'mount', 'e2fsprogs'],
  ...['libstdc++6', 'libatomic1'],
]
/** Kubernetes 1.36 wants the runtime that the stable suite does not have yet: these files replace those of the suite. */
const newerPackages = ['containerd', 'runc', 'containernetworking-plugins']
/** Without the rest of an initial file system: only what is needed to see the disk. */
const initramfs = { 'conf.d/coracle': 'MODULES=list\nCOMPRESS=lz4\n', modules: 'virtio_pci\nvirtio_blk\next4\n' }
const diskSize = '12G'

/** The guest's kernel, its initial file system and its disk, which nobody writes to. */
export interface RootImage {
  readonly kernel: string
  readonly initrd: string
  readonly disk: string
}

/** Makes the image below `.cache/virtual-machine` unless the same is there. Takes about a minute and needs root. */
export async function rootImage(): Promise<RootImage> {
  const recipe = JSON.stringify([suite, packages, newerPackages, initramfs, diskSize, guestFiles, maskedServices])
  const name = `root-${createHash('sha256').update(recipe).digest('hex').slice(0, 12)}`
  const folder = join(checkout, '.cache/virtual-machine', name)
  if (!existsSync(folder)) await build(folder)
  return { kernel: join(folder, 'vmlinuz'), initrd: join(folder, 'initrd'), disk: join(folder, 'disk') }
}

async function build(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true })
  const work = await mkdtemp(`${folder}.new-`)
  const tree = join(work, 'tree')
  try {
    await bootstrap(tree)
    await copyNewerPackages(tree)
    await furnish(tree)
    const [kernel = '', initrd = ''] = ['vmlinuz-*', 'initrd.img-*'].map(
      (name) => globSync(join(tree, 'boot', name))[0],
    )
    await copyFile(kernel, join(work, 'vmlinuz'))
    await copyFile(initrd, join(work, 'initrd'))
    await runTool('mke2fs', ['-q', '-t', 'ext4', '-d', tree, join(work, 'disk'), diskSize])
    await rm(tree, { recursive: true })
    await rename(work, folder)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function bootstrap(tree: string): Promise<void> {
  const writes = Object.entries(initramfs).map(
    ([file, text]) => `printf '${text.replaceAll('\n', '\\n')}' > "$1/etc/initramfs-tools/${file}"`,
  )
  const unwanted = ['man', 'doc', 'locale'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`)
  await runTool('mmdebstrap', [
    ...['--quiet', '--mode=root', '--variant=minbase', ...unwanted],
    `--essential-hook=mkdir -p "$1/etc/initramfs-tools/conf.d"; ${writes.join('; ')}`,
    `--include=${packages.join(',')}`,
    ...[suite, tree, 'http://deb.debian.org/debian'],
  ])
}

async function copyNewerPackages(tree: string): Promise<void> {
  for (const folder of await unpackDebianPackages('sid', newerPackages))
    await runTool('cp', ['-a', join(folder, 'usr'), tree])
}

async function furnish(tree: string): Promise<void> {
  for (const [path, text] of Object.entries(guestFiles)) {
    await mkdir(dirname(join(tree, path)), { recursive: true })
    await rm(join(tree, path), { force: true })
    await writeFile(join(tree, path), text)
  }
  for (const path of guestPrograms) await chmod(join(tree, path), 0o755)
  const units = join(tree, 'etc/systemd/system')
  for (const name of maskedServices) await link('/dev/null', join(units, name))
  // They are there for the tests: the cluster runs a containerd of its own.
  for (const name of ['containerd', 'nfs-server'])
    await rm(join(units, `multi-user.target.wants/${name}.service`), { force: true })
  for (const name of wantedServices) {
    const folder = existsSync(join(units, name)) ? '/etc' : '/usr/lib'
    await link(`${folder}/systemd/system/${name}`, join(units, 'multi-user.target.wants', name))
  }
}

async function link(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await rm(path, { force: true })
  await symlink(target, path)
}
