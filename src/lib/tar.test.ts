import assert from 'node:assert/strict'
import { test } from 'node:test'
import { extract } from 'tar-stream'
import { tarArchive } from './tar.ts'
import type { TarEntry } from './tar.ts'

/** Reads an archive with an independent implementation. */
async function read(archive: Buffer): Promise<object[]> {
  const reader = extract()
  reader.end(archive)
  const found: object[] = []
  for await (const entry of reader) {
    const chunks = await Array.fromAsync(entry as AsyncIterable<Buffer>)
    const { name, type, mode, linkname, size, uid, mtime } = entry.header
    found.push({
      name,
      type,
      mode,
      linkname,
      size,
      uid,
      time: mtime?.getTime(),
      text: Buffer.concat(chunks).toString(),
    })
  }
  return found
}

test('tarArchive() writes what another reader understands', async () => {
  const entries: TarEntry[] = [
    { path: 'bin', kind: 'directory' },
    { path: 'bin/tool', kind: 'file', content: Buffer.from('x'.repeat(512)), mode: 0o755 },
    { path: 'bin/short', kind: 'file', content: Buffer.from('é') },
    { path: 'bin/link', kind: 'symlink', target: '/bin/tool' },
    { path: 'bin/same', kind: 'hardlink', target: 'bin/tool' },
  ]
  const rest = { linkname: null, size: 0, uid: 0, time: 0, text: '' }
  assert.deepEqual(await read(tarArchive(entries)), [
    { ...rest, name: 'bin/', type: 'directory', mode: 0o755 },
    { ...rest, name: 'bin/tool', type: 'file', mode: 0o755, size: 512, text: 'x'.repeat(512) },
    { ...rest, name: 'bin/short', type: 'file', mode: 0o644, size: 2, text: 'é' },
    { ...rest, name: 'bin/link', type: 'symlink', mode: 0o777, linkname: '/bin/tool' },
    { ...rest, name: 'bin/same', type: 'link', mode: 0o777, linkname: 'bin/tool' },
  ])
})

test('tarArchive() cuts long paths at a slash', async () => {
  const long = `${'a'.repeat(90)}/${'b'.repeat(60)}/${'c'.repeat(95)}`
  const [entry] = await read(tarArchive([{ path: long, kind: 'file', content: Buffer.from('x') }]))
  assert.equal((entry as { name: string }).name, long)
})

test('tarArchive() refuses what the format cannot hold', () => {
  const file = (path: string): TarEntry[] => [{ path, kind: 'file', content: Buffer.alloc(0) }]
  assert.throws(() => tarArchive(file('a'.repeat(101))), RangeError)
  assert.throws(() => tarArchive(file(`${'a'.repeat(156)}/b`)), RangeError)
  assert.throws(() => tarArchive([{ path: 'a', kind: 'symlink', target: 'b'.repeat(101) }]), RangeError)
})

test('tarArchive() gives equal bytes for equal entries', () => {
  const entries: TarEntry[] = [{ path: 'a', kind: 'file', content: Buffer.from('x') }]
  assert.deepEqual(tarArchive(entries), tarArchive(entries))
  assert.equal(tarArchive(entries).length % 512, 0)
})
