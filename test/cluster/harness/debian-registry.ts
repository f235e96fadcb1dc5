import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ociMedia } from '#lib/oci-archive.ts'
import type { OciImage } from '#lib/oci-archive.ts'
import { unpackDebianPackages } from '../../../scripts/debian-packages.ts'
import { freePort } from './cluster.ts'
import { eventually } from './eventually.ts'

/** A real image registry of Debian's, on a free port of the loopback. */
export interface DebianRegistry extends AsyncDisposable {
  /** Host and port, as image names begin. */
  readonly host: string
  /** Puts an image into it; its reference is a path in the registry and a tag. Returns what pods call it. */
  push(image: OciImage): Promise<string>
}

/** Who may read a registry that is closed to others. */
export const registryUser = { username: 'reader', password: 'open sesame' }
/** Of the password, as the registry wants to have it. */
const passwordHash = '$2y$04$K.wB3i5DHhRZHYSXP/u3uOYAbuQl05VdMQBC5z6J9sMHef43doWfO'

/** Starts a registry; `isClosed`: it answers nobody but `registryUser`. */
export async function startDebianRegistry({ isClosed = false } = {}): Promise<DebianRegistry> {
  const [root = ''] = await unpackDebianPackages('bookworm', ['docker-registry'])
  const folder = await mkdtemp(join(tmpdir(), 'coracle-registry-'))
  const host = `127.0.0.1:${await freePort()}`
  const users = join(folder, 'users')
  await writeFile(users, `${registryUser.username}:${passwordHash}\n`)
  const config = {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'data') } },
    http: { addr: host },
    ...(isClosed && { auth: { htpasswd: { realm: 'test', path: users } } }),
  }
  await writeFile(join(folder, 'config.yml'), JSON.stringify(config))
  const child = spawn(join(root, 'usr/bin/docker-registry'), ['serve', join(folder, 'config.yml')], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  await eventually(async () => ((await fetch(`http://${host}/v2/`)).status < 500 ? true : undefined), {
    what: 'the registry answers',
  })
  const basic = Buffer.from(`${registryUser.username}:${registryUser.password}`).toString('base64')
  const headers = { ...(isClosed && { authorization: `Basic ${basic}` }) }
  return {
    host,
    push: (image) => push(image, { host, headers }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface Blob {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

/** By the distribution specification: blobs first, then the manifest, last the index that names its platform. */
async function push(image: OciImage, { host, headers }: Target): Promise<string> {
  const [name = '', tag = 'latest'] = image.reference.split(':')
  const target = { base: `http://${host}/v2/${name}`, headers }
  const layers = await Promise.all(image.layers.map((layer) => putBlob(target, ociMedia.layer, layer)))
  const platform = { architecture: image.architecture, os: 'linux' }
  const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) }
  const config = await putBlob(target, ociMedia.config, json({ ...platform, config: image.config, rootfs }))
  const manifest = json({ schemaVersion: 2, mediaType: ociMedia.manifest, config, layers })
  const described = describe(ociMedia.manifest, manifest)
  await putManifest(target, described.digest, manifest, ociMedia.manifest)
  const index = { schemaVersion: 2, mediaType: ociMedia.index, manifests: [{ ...described, platform }] }
  await putManifest(target, tag, json(index), ociMedia.index)
  return `${host}/${image.reference}`
}

interface Target {
  readonly host: string
  readonly headers: Readonly<Record<string, string>>
}

type Place = Pick<Target, 'headers'> & { readonly base: string }

async function putBlob({ base, headers }: Place, mediaType: string, content: Uint8Array): Promise<Blob> {
  const blob = describe(mediaType, content)
  const begun = await request(`${base}/blobs/uploads/`, { method: 'POST', headers })
  const upload = new URL(begun.headers.get('location') ?? '', base)
  upload.searchParams.set('digest', blob.digest)
  await request(upload.href, { method: 'PUT', headers, body: Buffer.from(content) })
  return blob
}

async function putManifest({ base, headers }: Place, reference: string, content: Buffer, type: string): Promise<void> {
  await request(`${base}/manifests/${reference}`, {
    method: 'PUT',
    headers: { ...headers, 'content-type': type },
    body: content,
  })
}

async function request(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, options)
  if (response.ok) return response
  throw new Error(`${options.method} ${url} answered ${response.status}: ${await response.text()}`)
}

function describe(mediaType: string, content: Uint8Array): Blob {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
  return { mediaType, digest, size: content.length }
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value))
}
