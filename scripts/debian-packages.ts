/**
 * Unpacks packages of a Debian suite into `.cache/debian/<suite>/<package>` without installing them and without touching
 * the machine's own apt: sources, lists, state and cache are private to the checkout. Needs apt and dpkg, not root.
 */
import { execFile } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export type DebianSuite = 'bookworm' | 'sid'

const run = promisify(execFile)
const cache = join(import.meta.dirname, '../.cache/debian')
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
/** A list older than this may name packages that the mirror has replaced. */
const listAgeMaxMs = 6 * 3_600_000
const commandTimeoutMs = 300_000

/**
 * The folders that hold the unpacked packages, in the order asked for. Only what is not there yet is fetched; the first
 * package of a suite costs its package list (about 10 MB, two seconds) besides.
 */
export async function unpackDebianPackages(suite: DebianSuite, names: readonly string[]): Promise<string[]> {
  const missing = names.filter((name) => !existsSync(packageFolder(suite, name)))
  if (missing.length > 0) await fetchPackages(suite, missing)
  return names.map((name) => packageFolder(suite, name))
}

function packageFolder(suite: DebianSuite, name: string): string {
  return join(cache, suite, name)
}

async function fetchPackages(suite: DebianSuite, names: readonly string[]): Promise<void> {
  const apt = await privateApt(suite)
  await mkdir(join(cache, suite), { recursive: true })
  const download = await mkdtemp(join(cache, suite, '.download-'))
  try {
    await run('apt-get', [...apt, '-q', 'download', ...names], { cwd: download, timeout: commandTimeoutMs })
    const archives = await readdir(download)
    for (const name of names) {
      const archive = archives.find((file) => file.startsWith(`${name}_`))
      if (archive === undefined) throw new Error(`apt-get downloaded no package ${name}`)
      await run('dpkg', ['-x', archive, `root-${name}`], { cwd: download, timeout: commandTimeoutMs })
      await keep(join(download, `root-${name}`), packageFolder(suite, name))
    }
  } finally {
    await rm(download, { recursive: true, force: true })
  }
}

/** Moves a finished folder into place; somebody who was faster has unpacked the same. */
async function keep(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
  })
}

/** The mirror of the main archive that the machine's own apt uses: it has every suite, its security sibling has not. */
async function debianMirror(): Promise<string> {
  const { stdout } = await run('apt-get', ['indextargets', '--format', '$(SITE)', 'Created-By: Packages'])
  const site = stdout.split('\n').find((line) => /\/debian\/?$/.test(line))
  if (site === undefined) throw new Error("none of apt's sources is a mirror of Debian's main archive")
  return site
}

/** The options that make apt see this suite and nothing else, with its package list fetched. */
async function privateApt(suite: DebianSuite): Promise<string[]> {
  const folder = join(cache, `apt-${suite}`)
  for (const name of ['lists/partial', 'cache/archives/partial']) await mkdir(join(folder, name), { recursive: true })
  await writeFile(join(folder, 'status'), '')
  const site = await debianMirror()
  await writeFile(join(folder, 'sources.list'), `deb [signed-by=${keyring}] ${site} ${suite} main\n`)
  const settings = {
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::Etc::trustedparts': '/dev/null',
    'Dir::State::status': join(folder, 'status'),
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::Cache': join(folder, 'cache'),
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    'APT::Sandbox::User': 'root',
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const stamp = join(folder, 'fetched')
  if (!existsSync(stamp) || Date.now() - statSync(stamp).mtimeMs > listAgeMaxMs) {
    await run('apt-get', [...options, '-q', 'update'], { timeout: commandTimeoutMs })
    await writeFile(stamp, '')
  }
  return options
}
