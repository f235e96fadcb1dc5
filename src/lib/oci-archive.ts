import { createHash } from 'node:crypto'
import { tarArchive } from './tar.ts'
import type { TarEntry } from './tar.ts'

/** A container image from its parts (OCI image specification 1.1). */
export interface OciImage {
  /** Full name with its tag, such as `example.test/web:1`. */
  readonly reference: string
  readonly architecture: 'amd64' | 'arm64'
  /** Uncompressed tar archives, lowest first. Images that share a layer store it once. */
  readonly layers: readonly Uint8Array[]
  readonly config: OciRunConfig
}

/** How a container of the image runs, in the specification's own spelling. */
export interface OciRunConfig {
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Env?: readonly string[]
  readonly User?: string
  readonly WorkingDir?: string
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>
  readonly StopSignal?: string
}

interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

/** Media types of the image specification. */
export const ociMedia = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
}

/** An image layout as one tar archive, ready to be imported by containerd. Equal input gives equal bytes. */
export function ociArchive(images: readonly OciImage[]): Buffer {
  const { blobs, manifests } = ociParts(images)
  const index = { schemaVersion: 2, mediaType: ociMedia.index, manifests }
  const entries: TarEntry[] = [
    { path: 'oci-layout', kind: 'file', content: json({ imageLayoutVersion: '1.0.0' }) },
    { path: 'index.json', kind: 'file', content: json(index) },
    { path: 'blobs', kind: 'directory' },
    { path: 'blobs/sha256', kind: 'directory' },
    ...[...blobs].map(([hash, content]) => ({ path: `blobs/sha256/${hash}`, kind: 'file' as const, content })),
  ]
  return tarArchive(entries)
}

/** The images taken apart as a registry serves them: blobs by the hash of their content, and each image's manifest. */
export function ociParts(images: readonly OciImage[]): {
  readonly blobs: ReadonlyMap<string, Uint8Array>
  readonly manifests: readonly OciManifest[]
} {
  const blobs = new Map<string, Uint8Array>()
  return { manifests: images.map((image) => manifestEntry(image, blobs)), blobs }
}

export interface OciManifest extends Descriptor {
  readonly annotations: Readonly<Record<string, string>>
}

function manifestEntry(image: OciImage, blobs: Map<string, Uint8Array>): OciManifest {
  const add = (mediaType: string, content: Uint8Array): Descriptor => {
    const hash = createHash('sha256').update(content).digest('hex')
    blobs.set(hash, content)
    return { mediaType, digest: `sha256:${hash}`, size: content.length }
  }
  const platform = { architecture: image.architecture, os: 'linux' }
  const layers = image.layers.map((layer) => add(ociMedia.layer, layer))
  const rootfs = { type: 'layers', diff_ids: layers.map((layer) => layer.digest) }
  const config = add(
    ociMedia.config,
    json({ created: '1970-01-01T00:00:00Z', ...platform, config: image.config, rootfs }),
  )
  const manifest = add(ociMedia.manifest, json({ schemaVersion: 2, mediaType: ociMedia.manifest, config, layers }))
  const tag = image.reference.slice(image.reference.lastIndexOf(':') + 1)
  // containerd takes the full name from its own annotation; the specification's holds the tag alone.
  const annotations = { 'io.containerd.image.name': image.reference, 'org.opencontainers.image.ref.name': tag }
  return { ...manifest, ...{ platform }, annotations }
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value))
}
