/** A name that no registry could have. */
export class InvalidImageName extends Error {}

const nameForm =
  /^(?:(?:[a-zA-Z0-9.-]+|\[[0-9a-fA-F:]+\])(?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*$/

export interface ImageName {
  /** The full reference with a tag or a digest, as the runtime knows it. */
  readonly reference: string
  /** Host and port of the registry, `docker.io` when the name has none. */
  readonly registry: string
  /** The name without registry, tag and digest. */
  readonly repository: string
}

/** Reads an image reference as container tools write it; `nginx` means `docker.io/library/nginx:latest`. */
export function parseImageName(image: string): ImageName {
  const [withTag = '', digest] = image.split('@')
  const lastSlash = withTag.lastIndexOf('/')
  const colon = withTag.indexOf(':', lastSlash + 1)
  const name = colon < 0 ? withTag : withTag.slice(0, colon)
  const tag = colon < 0 ? undefined : withTag.slice(colon + 1)
  const isValid =
    nameForm.test(name) &&
    (tag === undefined || /^\w[\w.-]{0,127}$/.test(tag)) &&
    (digest === undefined || /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/.test(digest))
  if (!isValid) throw new InvalidImageName(image)
  const [head = '', ...rest] = name.split('/')
  const hasRegistry = rest.length > 0 && (/[.:]/.test(head) || head === 'localhost')
  const registry = hasRegistry ? head : 'docker.io'
  const path = hasRegistry ? rest.join('/') : name
  const repository = registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path
  const suffix = digest === undefined ? `:${tag ?? 'latest'}` : `${tag === undefined ? '' : `:${tag}`}@${digest}`
  return { reference: `${registry}/${repository}${suffix}`, registry, repository }
}
