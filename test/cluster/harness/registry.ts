import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { ociParts, type OciImage } from '#lib/oci-archive.ts'

/** A registry on the loopback that serves a few images to whoever asks. */
export interface Registry extends AsyncDisposable {
  /** Host and port, the first part of its images' names. */
  readonly host: string
  /** How often each image's manifest was asked for, by name and tag. */
  readonly pulls: ReadonlyMap<string, number>
}

/** Serves the images under the last part of their names, without authentication. */
export async function startRegistry(images: readonly OciImage[]): Promise<Registry> {
  const { blobs, manifests } = ociParts(images)
  const named = new Map(
    images.map(({ reference }, index) => [reference.slice(reference.lastIndexOf('/') + 1), manifests[index]] as const),
  )
  const pulls = new Map<string, number>()
  const server = createServer((request, response) => {
    const [, name = '', kind = '', reference = ''] =
      /^\/v2\/([^/]+)\/(manifests|blobs)\/(.+)$/.exec(request.url ?? '') ?? []
    const manifest = kind === 'manifests' ? named.get(`${name}:${reference}`) : undefined
    if (manifest !== undefined) pulls.set(`${name}:${reference}`, (pulls.get(`${name}:${reference}`) ?? 0) + 1)
    const digest = manifest?.digest ?? reference
    const content = blobs.get(digest.replace('sha256:', ''))
    if (request.url === '/v2/') return void response.writeHead(200).end()
    if (content === undefined) return void response.writeHead(404).end()
    const known = [...named.values()].find((each) => each?.digest === digest)
    response.writeHead(200, {
      'content-type': known?.mediaType ?? 'application/octet-stream',
      'content-length': content.length,
      'docker-content-digest': digest,
    })
    response.end(request.method === 'HEAD' ? undefined : content)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    pulls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
