import type { Container, Pod } from '#api/types/core.v1.ts'
import type { EventRecorder } from '#client/events.ts'
import type { Clock } from '#lib/clock.ts'
import { formatDuration } from '#lib/go-duration.ts'
import type { ImageInfo } from '../cri/image.ts'
import { isRuntimeError, type ContainerRuntime } from '../cri/runtime.ts'
import { ContainerStartError } from '../environment/container-start-error.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import { containerEvents } from '../pod-worker/container-events.ts'
import type { KubeletSettings } from '../configuration/kubelet-settings.ts'
import { imageAccess, repositoryOf } from './image-access.ts'
import { parseImageName } from './image-name.ts'
import { noCredentials, type NodeCredentials } from './node-credentials.ts'
import type { ImageAccess, PullRecords } from './pull-records.ts'
import { PullTurns } from './pull-turns.ts'
import { pullCredentials } from './pull-secrets.ts'

export interface ImageRequest {
  readonly pod: Pod
  readonly container: Container
  readonly objects: PodObjects
  readonly signal: AbortSignal
}

/** Sees to it that the images of containers are on the node, by their pull policies. */
export interface ImageManager {
  /** Resolves to the image; rejects with `ContainerStartError` and the reason that pods show. */
  ensure(request: ImageRequest): Promise<ImageInfo>
  /** When the next pull for the container may be tried; `undefined` for "now". */
  retryAtMs(pod: Pod, container: Container): number | undefined
  /** Forgets the failed pulls of a pod. */
  forget(podUid: string): void
}

interface PullBackoff {
  readonly delayMs: number
  readonly failedAtMs: number
  readonly message: string
}

const initialDelayMs = 10_000
const maximumDelayMs = 300_000

export interface ImageManagerOptions {
  readonly runtime: ContainerRuntime
  readonly clock: Clock
  readonly events: EventRecorder
  readonly settings: Pick<KubeletSettings, 'pulls' | 'verification'>
  /** With which credentials images came; absent: whatever is there is for everybody. */
  readonly records?: PullRecords
  /** What the node may show to registries. */
  readonly credentials?: NodeCredentials
}

type PullOptions = ImageManagerOptions & { readonly turns: PullTurns }

export function createImageManager(given: ImageManagerOptions): ImageManager {
  const options = { ...given, turns: new PullTurns(given.settings.pulls, given.clock) }
  /** By pod and image: what one pod's bad credentials did must not delay another pod. */
  const backoffs = new Map<string, PullBackoff>()
  const keyOf = (pod: Pod, image: string): string => `${pod.metadata.uid}_${image}`
  let pruning: Promise<void> | undefined
  const pruned = (): Promise<void> | undefined => options.records && (pruning ??= pruneRecords(options))
  return {
    async ensure(request) {
      const { pod, container } = request
      const image = referenceOf(options, request)
      const policy = container.imagePullPolicy ?? 'IfNotPresent'
      await pruned()
      const present = policy === 'Always' ? undefined : await inspect(options, request, image)
      if (present && (await mayUse(options, request, { image, present }))) return found(options, request, present)
      if (policy === 'Never') throw neverPulled(options, request, present !== undefined)
      const key = keyOf(pod, image)
      const backoff = backoffs.get(key)
      if (backoff && options.clock.now() < backoff.failedAtMs + backoff.delayMs)
        throw backingOff(options, request, backoff)
      try {
        const pulled = await pull(options, request, image)
        backoffs.delete(key)
        return pulled
      } catch (error) {
        backoffs.set(key, nextBackoff(backoff, options.clock.now(), error))
        throw error
      }
    },
    retryAtMs(pod, container) {
      const backoff = backoffs.get(keyOf(pod, safeReference(container.image ?? '')))
      const retryAtMs = backoff && backoff.failedAtMs + backoff.delayMs
      return retryAtMs !== undefined && retryAtMs > options.clock.now() ? retryAtMs : undefined
    },
    forget(podUid) {
      for (const key of backoffs.keys()) if (key.startsWith(`${podUid}_`)) backoffs.delete(key)
    },
  }
}

function nextBackoff(previous: PullBackoff | undefined, nowMs: number, error: unknown): PullBackoff {
  const isFresh = previous === undefined || nowMs - previous.failedAtMs > 2 * maximumDelayMs
  const delayMs = isFresh ? initialDelayMs : Math.min(previous.delayMs * 2, maximumDelayMs)
  const reason = error instanceof ContainerStartError ? error.reason : 'ErrImagePull'
  return { delayMs, failedAtMs: nowMs, message: `${reason}: ${error instanceof Error ? error.message : String(error)}` }
}

function safeReference(image: string): string {
  try {
    return parseImageName(image).reference
  } catch {
    return image
  }
}

function referenceOf({ events }: ImageManagerOptions, { pod, container }: ImageRequest): string {
  const image = container.image ?? ''
  try {
    return parseImageName(image).reference
  } catch {
    const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`
    containerEvents(events, pod, container.name)('Warning', 'InspectFailed', message)
    throw new ContainerStartError('InvalidImageName', message)
  }
}

async function inspect(
  { runtime, events }: ImageManagerOptions,
  { pod, container }: ImageRequest,
  image: string,
): Promise<ImageInfo | undefined> {
  try {
    return await runtime.imageStatus(image)
  } catch (error) {
    const message = `Failed to inspect image "${image}": ${error instanceof Error ? error.message : String(error)}`
    containerEvents(events, pod, container.name)('Warning', 'InspectFailed', message)
    throw new ContainerStartError('ImageInspectError', message)
  }
}

function found({ events }: ImageManagerOptions, { pod, container }: ImageRequest, present: ImageInfo): ImageInfo {
  const message = `Container image "${container.image}" already present on machine and can be accessed by the pod`
  containerEvents(events, pod, container.name)('Normal', 'Pulled', message)
  return present
}

function neverPulled(
  { events }: ImageManagerOptions,
  { pod, container }: ImageRequest,
  isPresent: boolean,
): ContainerStartError {
  const message = isPresent
    ? `Container image "${container.image}" is present with pull policy of Never but does not have the proper credentials to access the image`
    : `Container image "${container.image}" is not present with pull policy of Never`
  containerEvents(events, pod, container.name)('Warning', 'ErrImageNeverPull', message)
  return new ContainerStartError('ErrImageNeverPull', message)
}

function backingOff(
  { events }: ImageManagerOptions,
  { pod, container }: ImageRequest,
  backoff: PullBackoff,
): ContainerStartError {
  const message = `Back-off pulling image "${container.image}"`
  containerEvents(events, pod, container.name)('Normal', 'BackOff', message)
  return new ContainerStartError('ImagePullBackOff', `${message}: ${backoff.message}`)
}

async function pull(options: PullOptions, request: ImageRequest, image: string): Promise<ImageInfo> {
  const { runtime, events, clock, turns, records } = options
  const { pod, container, signal } = request
  containerEvents(events, pod, container.name)('Normal', 'Pulling', `Pulling image "${container.image}"`)
  const startedMs = clock.monotonic()
  try {
    const { reference, access, tookMs } = await turns.run(async () => {
      await records?.intend(image)
      const pullingMs = clock.monotonic()
      const answer = await pullWithCredentials(options, request, image)
      return { ...answer, tookMs: clock.monotonic() - pullingMs }
    })
    const pulled = (await runtime.imageStatus(reference)) ?? (await runtime.imageStatus(image))
    if (pulled === undefined) throw new Error(`image ${image} is not there after its pull`)
    await records?.add(image, { imageRef: pulled.id, name: repositoryOf(image), access })
    const took = formatDuration(Math.round(tookMs))
    const withWaiting = formatDuration(Math.round(clock.monotonic() - startedMs))
    const message = `Successfully pulled image "${container.image}" in ${took} (${withWaiting} including waiting). Image size: ${pulled.sizeBytes} bytes.`
    containerEvents(events, pod, container.name)('Normal', 'Pulled', message)
    return pulled
  } catch (error) {
    await records?.giveUp(image)
    if (signal.aborted) throw error
    const text = error instanceof Error ? error.message : String(error)
    containerEvents(events, pod, container.name)(
      'Warning',
      'Failed',
      `Failed to pull image "${container.image}": ${text}`,
    )
    throw pullError(error, container.image ?? '')
  }
}

/** Runtimes begin their text with the reason where they know a better one. */
function pullError(error: unknown, image: string): ContainerStartError {
  const text = error instanceof Error ? error.message : String(error)
  const details = isRuntimeError(error) ? error.details : ''
  if (details.startsWith('RegistryUnavailable'))
    return new ContainerStartError(
      'RegistryUnavailable',
      `image pull failed for ${image} because the registry is unavailable: ${details}`,
    )
  if (details.startsWith('SignatureValidationFailed'))
    return new ContainerStartError(
      'SignatureValidationFailed',
      `image pull failed for ${image} because the signature validation failed: ${details}`,
    )
  return new ContainerStartError('ErrImagePull', text)
}

interface PullAnswer {
  readonly reference: string
  /** Whose the image is now. */
  readonly access: ImageAccess
}

async function pullWithCredentials(
  { runtime, events, credentials: own = noCredentials }: ImageManagerOptions,
  request: ImageRequest,
  image: string,
): Promise<PullAnswer> {
  const { pod, container, objects, signal } = request
  const { credentials: ofPod, missing } = await pullCredentials(pod, image, objects)
  const ofNode = (await own.of(image)).map((auth) => ({ auth, secret: undefined }))
  if (missing.length > 0) {
    const names = missing.join(', ')
    const message = `Unable to retrieve some image pull secrets (${names}); attempting to pull the image may not succeed.`
    containerEvents(events, pod, container.name)('Warning', 'FailedToRetrieveImagePullSecret', message)
  }
  const everybodys = { nodePodsAccessible: true }
  const credentials = [...ofPod, ...ofNode]
  if (credentials.length === 0) return { reference: await runtime.pullImage(image, { signal }), access: everybodys }
  let failure: unknown
  for (const { auth, secret } of credentials) {
    try {
      const reference = await runtime.pullImage(image, { signal, auth })
      return { reference, access: secret === undefined ? everybodys : { kubernetesSecrets: [secret] } }
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** Whether the pod may have an image that is there, or must show the registry that it may. */
async function mayUse(
  { records, settings: { verification } }: ImageManagerOptions,
  { pod, objects }: ImageRequest,
  { image, present }: { readonly image: string; readonly present: ImageInfo },
): Promise<boolean> {
  if (records === undefined) return true
  const record = await records.of(present.id)
  const isPulledByNode = record !== undefined || (await records.hasIntent(image))
  const question = { ...verification, image, record, isPulledByNode }
  if (imageAccess({ ...question, secrets: [] }) === true) return true
  const { credentials } = await pullCredentials(pod, image, objects)
  const access = imageAccess({ ...question, secrets: credentials.map(({ secret }) => secret) })
  if (typeof access === 'boolean') return access
  const name = repositoryOf(image)
  const known = record?.credentialMapping[name]?.kubernetesSecrets ?? []
  const isKnown = known.some((each) => JSON.stringify(each) === JSON.stringify(access))
  if (!isKnown) await records.add(image, { imageRef: present.id, name, access: { kubernetesSecrets: [access] } })
  return true
}

/** Images may have gone while nobody looked. */
async function pruneRecords({ records, runtime }: ImageManagerOptions): Promise<void> {
  const images = await runtime.listImages().catch(() => undefined)
  if (images !== undefined) await records?.prune(images.map(({ id }) => id))
}
