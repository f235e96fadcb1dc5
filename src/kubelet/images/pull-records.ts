import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { LruMap } from '#lib/lru-map.ts'

/** A secret whose credentials a registry has believed. */
export interface SecretUse {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly credentialHash: string
}

/** Whose pods may use an image of this name. */
export interface ImageAccess {
  /** It was pulled without credentials, or with those of the node: everybody's. */
  readonly nodePodsAccessible?: boolean
  readonly kubernetesSecrets?: readonly SecretUse[]
}

/** How an image has come to the node. */
export interface PullRecord {
  readonly imageRef: string
  /** By name without tag and digest: one image may have been pulled under several. */
  readonly credentialMapping: Readonly<Record<string, ImageAccess>>
}

const mostSecrets = 100
const mostKnown = 2_000

/** Remembers in files with which credentials images were pulled (KEP-2535). */
export class PullRecords {
  readonly #pulled: string
  readonly #pulling: string
  readonly #clock: Clock
  readonly #known = new LruMap<string, PullRecord | 'none'>(mostKnown)
  #ready: Promise<unknown> | undefined

  constructor(rootDir: string, clock: Clock) {
    this.#pulled = join(rootDir, 'image_manager', 'pulled')
    this.#pulling = join(rootDir, 'image_manager', 'pulling')
    this.#clock = clock
  }

  /** Forgets images that are not there any more. */
  async prune(imageRefs: readonly string[]): Promise<void> {
    const kept = new Set(imageRefs.map(fileName))
    const names = await readdir(this.#pulled).catch(() => [])
    await Promise.all(
      names.filter((name) => !kept.has(name)).map((name) => rm(join(this.#pulled, name), { force: true })),
    )
  }

  async of(imageRef: string): Promise<PullRecord | undefined> {
    const known = this.#known.get(imageRef) ?? (await read(join(this.#pulled, fileName(imageRef)))) ?? 'none'
    this.#known.set(imageRef, known)
    return known === 'none' ? undefined : known
  }

  /** Whether a pull of that name was begun whose end nobody has written down. */
  async hasIntent(image: string): Promise<boolean> {
    return (await read(join(this.#pulling, fileName(image)))) !== undefined
  }

  /** To be called before a pull: should this process end before `add`, the image still counts as pulled. */
  async intend(image: string): Promise<void> {
    this.#ready ??= Promise.all(
      [this.#pulled, this.#pulling].map((path) => mkdir(path, { recursive: true, mode: 0o700 })),
    )
    await this.#ready
    await write(join(this.#pulling, fileName(image)), { kind: 'ImagePullIntent', apiVersion, image })
  }

  /** The pull has failed. */
  async giveUp(image: string): Promise<void> {
    await rm(join(this.#pulling, fileName(image)), { force: true })
  }

  /** The pull has worked, or another secret was found to be as good. */
  async add(
    image: string,
    { imageRef, name, access }: { imageRef: string; name: string; access: ImageAccess },
  ): Promise<void> {
    const before = (await this.of(imageRef))?.credentialMapping ?? {}
    const credentialMapping = { ...before, [name]: joinedAccess(before[name], access) }
    const record = { imageRef, credentialMapping }
    const lastUpdatedTime = new Date(this.#clock.now()).toISOString()
    await write(join(this.#pulled, fileName(imageRef)), {
      kind: 'ImagePulledRecord',
      apiVersion,
      lastUpdatedTime,
      ...record,
    })
    this.#known.set(imageRef, record)
    await this.giveUp(image)
  }
}

const apiVersion = 'kubelet.config.k8s.io/v1beta1'

/** What everybody may use needs no secrets; the newest of too many are kept. */
function joinedAccess(before: ImageAccess = {}, more: ImageAccess): ImageAccess {
  if (before.nodePodsAccessible || more.nodePodsAccessible) return { nodePodsAccessible: true }
  const secrets = [...(more.kubernetesSecrets ?? []), ...(before.kubernetesSecrets ?? [])]
  const byPlace = new Map(
    secrets.reverse().map((secret) => [`${secret.namespace}/${secret.name}/${secret.uid}`, secret]),
  )
  return { kubernetesSecrets: [...byPlace.values()].slice(-mostSecrets) }
}

function fileName(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('hex')}`
}

async function read(path: string): Promise<PullRecord | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return { imageRef: '', credentialMapping: {}, ...(JSON.parse(text) as object) }
  } catch {
    // Half of a file is still the trace of a pull.
    return { imageRef: '', credentialMapping: {} }
  }
}

async function write(path: string, value: object): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(value), { mode: 0o600 })
  await rename(`${path}.new`, path)
}
