import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, copyFile, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

interface Sandbox extends AsyncDisposable {
  readonly folder: string
  /** Runs the launcher by this path, seeing only the given programs and the shell's own. */
  run(launcher: string, ...args: string[]): Promise<{ code: number; out: string; err: string }>
}

const systemPrograms = ['readlink', 'id', 'uname', 'mkdir']

/** A folder with a copy of the launcher, the named fake programs and an empty home. */
async function sandbox(programs: Readonly<Record<string, string>>): Promise<Sandbox> {
  const folder = await mkdtemp(join(tmpdir(), 'coracle-launcher-'))
  for (const name of ['app', 'bin', 'home']) await mkdir(join(folder, name))
  await copyFile(join(import.meta.dirname, '../coracle'), join(folder, 'app/coracle'))
  for (const name of systemPrograms) await symlink(`/bin/${name}`, join(folder, 'bin', name))
  for (const [path, script] of Object.entries(programs)) {
    const target = join(folder, path)
    await rm(target, { force: true })
    await mkdir(join(target, '..'), { recursive: true })
    await writeFile(target, `#!/bin/sh\n${script}\n`)
    await chmod(target, 0o755)
  }
  const env = { PATH: join(folder, 'bin'), HOME: join(folder, 'home') }
  return {
    folder,
    run(launcher, ...args) {
      const { promise, resolve } = Promise.withResolvers<{ code: number; out: string; err: string }>()
      execFile(join(folder, launcher), args, { env, cwd: folder }, (error, out, err) => {
        resolve({ code: error ? Number(error.code) : 0, out, err })
      })
      return promise
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

const fakeNode = 'printf "%s\\n" "$@" "$NODE_COMPILE_CACHE"; exit 7'

test('the launcher becomes node on src/main/cli.ts, with its arguments and exit code', async () => {
  await using box = await sandbox({ 'app/node_modules/.bin/node': fakeNode })
  const { code, out } = await box.run('app/coracle', 'get pods', '--x')
  assert.equal(code, 7)
  assert.deepEqual(out.trim().split('\n').slice(-4), [
    `${box.folder}/app/src/main/cli.ts`,
    'get pods',
    '--x',
    `${box.folder}/home/.cache/coracle/compile`,
  ])
  assert.equal((await stat(join(box.folder, 'home/.cache/coracle'))).mode & 0o777, 0o700)
})

test('the launcher finds its folder through symlinks', async () => {
  await using box = await sandbox({ 'app/node_modules/.bin/node': fakeNode })
  await symlink(join(box.folder, 'app/coracle'), join(box.folder, 'first'))
  await symlink('first', join(box.folder, 'second'))
  const { out } = await box.run('second')
  assert.match(out, new RegExp(`^${RegExp.escape(box.folder)}/app/src/main/cli.ts$`, 'm'))
})

test('the launcher installs the locked packages with npm when Node is missing', async () => {
  const npm = 'mkdir -p node_modules/.bin; /bin/cp "$0-node" node_modules/.bin/node; echo "npm $*"'
  await using box = await sandbox({ 'bin/npm': npm, 'bin/npm-node': fakeNode.replace('exit 7', 'exit 0') })
  const { code, err } = await box.run('app/coracle')
  assert.equal(code, 0)
  assert.match(err, /^npm install --no-save --ignore-scripts --omit=dev /m)
})

const refusals: readonly [name: string, programs: Record<string, string>, message: string][] = [
  [
    'npm is missing and the user is not root',
    { 'bin/id': 'echo 1000' },
    'npm is missing. Install it (as root: apt-get install npm) or run this once as root.',
  ],
  [
    'npm and apt-get are missing',
    { 'bin/id': 'echo 0' },
    'npm is missing and this is not Debian or Ubuntu: install npm and try again.',
  ],
  ['npm fails', { 'bin/npm': 'exit 1' }, 'npm could not install the packages: the lines above say why.'],
  ['the machine is not Linux', { 'bin/uname': 'echo Darwin' }, 'Coracle runs on Linux; this is Darwin.'],
]

for (const [name, programs, message] of refusals) {
  test(`the launcher says so when ${name}`, async () => {
    await using box = await sandbox(programs)
    const { code, out, err } = await box.run('app/coracle', 'up')
    assert.equal(code, 1)
    assert.equal(out, '')
    assert.equal(err.trim().split('\n').at(-1), `error: ${message}`)
  })
}
