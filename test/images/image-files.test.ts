import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { copied, sharedLibraries } from './image-files.ts'

test('sharedLibraries() follows the names in the dynamic sections and nothing else', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'coracle-libraries-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'lib/gconv'), { recursive: true })
  writeFileSync(join(folder, 'program'), 'ELF\0liba.so.1\0ld-linux-x86-64.so.2\0')
  writeFileSync(join(folder, 'lib/liba.so.1.2'), 'ELF\0libb.so\0liba.so.1\0')
  symlinkSync('liba.so.1.2', join(folder, 'lib/liba.so.1'))
  for (const name of ['libb.so', 'libunused.so', 'ld-linux-x86-64.so.2'])
    writeFileSync(join(folder, 'lib', name), 'ELF')
  assert.deepEqual(
    sharedLibraries(join(folder, 'program'), [folder]).map((entry) => entry.path),
    ['lib64/ld-linux-x86-64.so.2', 'lib/liba.so.1', 'lib/libb.so'],
  )
})

test('copied() names what it looked for', () => {
  assert.throws(() => copied('bin/x', ['/nonexistent/a', '/nonexistent/b']), /None of these is a file: .*a, .*b/)
})
