import { existsSync } from 'node:fs'
import { chmod, rm, writeFile } from 'node:fs/promises'
import { runCommand } from '#lib/command.ts'
import { findProgram } from './machine.ts'

/** A thing the node needs from the distribution, how to tell that it is there, and the Debian package it is in. */
interface Prerequisite {
  readonly package: string
  readonly present: () => boolean
}

/** Folders where distributions put the CNI plugins. */
const cniBinaryDirs = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni']

/** The folder with the CNI plugins, if they are installed. */
export function cniBinaryDir(): string | undefined {
  return cniBinaryDirs.find((folder) => existsSync(`${folder}/bridge`) && existsSync(`${folder}/host-local`))
}

const prerequisites: readonly Prerequisite[] = [
  { package: 'containerd', present: () => findProgram('containerd') !== undefined },
  { package: 'runc', present: () => findProgram('runc') !== undefined },
  { package: 'nftables', present: () => findProgram('nft') !== undefined },
  { package: 'iproute2', present: () => findProgram('ip') !== undefined },
  { package: 'mount', present: () => findProgram('mount') !== undefined },
  { package: 'containernetworking-plugins', present: () => cniBinaryDir() !== undefined },
]

/** What is missing on this machine, as the Debian packages that bring it. */
export function missingPackages(): string[] {
  return prerequisites.filter((item) => !item.present()).map((item) => item.package)
}

/**
 * Installs packages with apt without letting any of them start a service: the cluster runs a containerd of its own.
 * Throws with one sentence that names what is missing where apt cannot help.
 */
export async function installPackages(packages: readonly string[]): Promise<void> {
  if (findProgram('apt-get') === undefined) {
    throw new Error(`Cannot install ${packages.join(', ')}: apt-get not found. Install them by hand and try again`)
  }
  await withoutServiceStart(() => aptInstall(packages))
  const stillMissing = missingPackages().filter((name) => packages.includes(name))
  if (stillMissing.length > 0) throw new Error(`Installed ${stillMissing.join(', ')}, but its programs are not there`)
}

const aptOptions = ['-o', 'DPkg::Lock::Timeout=300', '-q']

async function aptInstall(packages: readonly string[]): Promise<void> {
  const environment = { DEBIAN_FRONTEND: 'noninteractive' }
  const install = async (): Promise<void> => {
    const args = [...aptOptions, 'install', '-y', '--no-install-recommends', ...packages]
    await runCommand('apt-get', args, { environment, timeoutMs: 600_000 })
  }
  // The package lists of a fresh machine are empty or old: one update usually mends a failed install.
  await install().catch(async () => {
    await runCommand('apt-get', [...aptOptions, 'update'], { environment, timeoutMs: 300_000 })
    await install()
  })
}

const policyFile = '/usr/sbin/policy-rc.d'

/** Debian asks `policy-rc.d` before it starts a service; 101 means no. A policy that is already there stays in force. */
async function withoutServiceStart(action: () => Promise<void>): Promise<void> {
  const ours = !existsSync(policyFile)
  if (ours) {
    await writeFile(policyFile, '#!/bin/sh\nexit 101\n')
    await chmod(policyFile, 0o755)
  }
  try {
    await action()
  } finally {
    if (ours) await rm(policyFile, { force: true })
  }
}
