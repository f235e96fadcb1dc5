import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { extract } from 'tar-stream'
import { ociArchive } from './oci-archive.ts'
import type { OciImage } from './oci-archive.ts'

async function files(archive: Buffer): Promise<Map<string, Buffer>> {
  const reader = extract()
  reader.end(archive)
  const found = new Map<string, Buffer>()
  for await (const entry of reader) {
    found.set(entry.header.name, Buffer.concat(await Array.fromAsync(entry as AsyncIterable<Buffer>)))
  }
  return found
}

const base = Buffer.from('base layer')
const image: OciImage = {
  reference: 'example.test:5000/web:2',
  architecture: 'amd64',
  layers: [base, Buffer.from('top layer')],
  config: { Entrypoint: ['/web'] },
}

interface Parsed {
  readonly manifests: readonly { digest: string; size: number; annotations: Record<string, string> }[]
  readonly config: { digest: string }
  readonly layers: readonly { digest: string; size: number }[]
  readonly rootfs: { diff_ids: string[] }
}

test('ociArchive() links index, manifest, config and layers by their digests', async () => {
  const found = await files(ociArchive([image]))
  const parse = (content: Buffer | undefined): Parsed => JSON.parse(String(content)) as Parsed
  const blob = (digest: string): Buffer | undefined => found.get(`blobs/sha256/${digest.slice('sha256:'.length)}`)
  const [entry] = parse(found.get('index.json')).manifests
  assert.deepEqual(entry?.annotations, {
    'io.containerd.image.name': 'example.test:5000/web:2',
    'org.opencontainers.image.ref.name': '2',
  })
  const manifest = parse(blob(entry?.digest ?? ''))
  assert.deepEqual(
    manifest.layers.map((layer) => String(blob(layer.digest))),
    ['base layer', 'top layer'],
  )
  assert.deepEqual(
    parse(blob(manifest.config.digest)).rootfs.diff_ids,
    manifest.layers.map((layer) => layer.digest),
  )
  for (const [path, content] of found) {
    const hash = /^blobs\/sha256\/(\w{64})$/.exec(path)?.[1]
    if (hash !== undefined) assert.equal(createHash('sha256').update(content).digest('hex'), hash)
  }
})

test('ociArchive() stores a shared layer once', async () => {
  const other: OciImage = { ...image, reference: 'example.test/web:3', layers: [base] }
  const found = await files(ociArchive([image, other]))
  const layers = [...found.values()].filter((content) => content.equals(base))
  assert.equal(layers.length, 1)
})
