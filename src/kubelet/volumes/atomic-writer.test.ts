import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { writePayload, type PayloadFile } from './atomic-writer.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coracle-volume-'))
})
after(() => rm(folder, { recursive: true }))

const nowMs = Date.parse('2026-01-02T03:04:05Z')

function file(text: string, mode = 0o644): PayloadFile {
  return { data: Buffer.from(text), mode }
}

async function shown(directory: string): Promise<Record<string, string>> {
  const names = (await readdir(directory, { recursive: true })).filter((name) => !name.startsWith('..'))
  const entries: [string, string][] = []
  for (const name of names) {
    const path = join(directory, name)
    if ((await stat(path)).isFile()) entries.push([name, await readFile(path, 'utf8')])
  }
  return Object.fromEntries(entries)
}

test('files are shown through links, replaced at once, and stale ones go away', async () => {
  const directory = join(folder, 'a')
  await writePayload(
    directory,
    new Map([
      ['one', file('1', 0o400)],
      ['two', file('2')],
    ]),
    { nowMs },
  )
  assert.deepEqual(await shown(directory), { one: '1', two: '2' })
  assert.equal((await stat(join(directory, 'one'))).mode & 0o777, 0o400)
  assert.equal(await readlink(join(directory, 'one')), '..data/one')
  const first = await readlink(join(directory, '..data'))
  assert.equal(first, '..2026_01_02_03_04_05.0')
  await writePayload(
    directory,
    new Map([
      ['one', file('changed')],
      ['three', file('3')],
    ]),
    { nowMs },
  )
  assert.deepEqual(await shown(directory), { one: 'changed', three: '3' })
  assert.equal((await readdir(directory)).includes(first), false)
})

test('nothing is written when nothing has changed', async () => {
  const directory = join(folder, 'b')
  const payload = new Map([['dir/file', file('x')]])
  await writePayload(directory, payload, { nowMs })
  const before = await readlink(join(directory, '..data'))
  await writePayload(directory, payload, { nowMs: nowMs + 1000 })
  assert.equal(await readlink(join(directory, '..data')), before)
  assert.equal(await readFile(join(directory, 'dir/file'), 'utf8'), 'x')
})

test('a path that leaves the volume is refused', async () => {
  const directory = join(folder, 'c')
  await assert.rejects(writePayload(directory, new Map([['../evil', file('x')]]), { nowMs }), /must stay in the volume/)
})

test('a write that fails leaves what was shown and nothing else, and leftovers of a killed one go', async () => {
  const directory = join(folder, 'failed')
  await writePayload(directory, new Map([['one', file('1')]]), { nowMs })
  const before = (await readdir(directory)).sort()
  const tooLong = 'x'.repeat(300)
  await assert.rejects(
    writePayload(
      directory,
      new Map([
        ['one', file('2')],
        [tooLong, file('3')],
      ]),
      { nowMs },
    ),
    /ENAMETOOLONG/,
  )
  assert.deepEqual((await readdir(directory)).sort(), before)
  assert.deepEqual(await shown(directory), { one: '1' })
  await mkdir(join(directory, '..2025_01_01_00_00_00.0'))
  await writePayload(directory, new Map([['one', file('2')]]), { nowMs })
  assert.deepEqual(await shown(directory), { one: '2' })
  assert.equal((await readdir(directory)).filter((name) => /^\.\.\d/.test(name)).length, 1)
})
