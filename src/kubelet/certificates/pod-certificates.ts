import type { PodCertificateRequest } from '#api/types/certificates.v1beta1.ts'
import type { Pod, PodCertificateProjection } from '#api/types/core.v1.ts'
import { podCertificateRequests, serviceAccounts } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events.ts'
import type { Lister } from '#client/informer.ts'
import type { Clock } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import { encodePem, readLooseBlocks } from '#lib/x509/pem.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import { generateRequestKey } from './request-key.ts'

/** Keys and certificates of pods, asked from signers through the API and renewed when it is time (KEP-4317). */
export interface PodCertificates {
  /**
   * What the pod is to have now. Throws why there is nothing yet; the pod is told when more is known. Calls for one place
   * of one pod must not overlap.
   */
  credentials(wish: CertificateWish): Promise<Credentials>
  /** Forgets the keys of a pod. */
  forget(podUid: string): void
}

export interface CertificateWish {
  readonly pod: Pod
  readonly objects: PodObjects
  readonly source: PodCertificateProjection
  /** Tells the sources of a pod apart. */
  readonly place: string
  /** Of the node; absent while it is not known. */
  readonly nodeUid?: string
}

export interface Credentials {
  /** PEM, PKCS #8. */
  readonly privateKey: string
  /** PEM: the certificate, and those that lead to its root. */
  readonly chain: string
  /** When to ask again although nothing has changed. */
  readonly refreshAtMs: number
}

export interface PodCertificatesOptions {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly events: EventRecorder
  readonly nodeName: string
}

interface Asked {
  readonly privateKey: string
  readonly requestName: string
  /** From then on a request that does not show itself has been deleted. */
  readonly abandonAtMs: number
}

interface Held {
  readonly privateKey: string
  readonly chain: string
  readonly refreshAtMs: number
  readonly notAfterMs: number
}

/** What is known for one place: what the pod has, what was asked for, or why it gets nothing any more. */
interface Standing {
  held?: Held
  asked?: Asked
  refusal?: string
  readonly told: Set<string>
}

/** Renewals of many pods that started together are spread over this time. */
const jitterMs = 5 * 60_000
const lostAfterMs = 10 * 60_000
const overdueAfterMs = 10 * 60_000
/** How soon a renewal that is under way, or could not be asked for, is looked at again. */
const lookAgainMs = 60_000

const notIssued = 'credential bundle is not issued yet'

export function createPodCertificates(options: PodCertificatesOptions): PodCertificates {
  const standings = new Map<string, Map<string, Standing>>()
  return {
    async credentials(wish) {
      const { uid } = wish.pod.metadata
      const ofPod = standings.get(uid) ?? new Map<string, Standing>()
      standings.set(uid, ofPod)
      const standing: Standing = ofPod.get(wish.place) ?? { told: new Set() }
      ofPod.set(wish.place, standing)
      if (standing.refusal === undefined) await new Advance(options, wish, standing).run()
      return credentialsOf(standing, options.clock.now())
    },
    forget: (podUid) => void standings.delete(podUid),
  }
}

function credentialsOf({ held, refusal }: Standing, nowMs: number): Credentials {
  if (refusal !== undefined) throw new Error(refusal)
  if (held === undefined) throw new Error(notIssued)
  const refreshAtMs = held.refreshAtMs > nowMs ? held.refreshAtMs : nowMs + lookAgainMs
  return { privateKey: held.privateKey, chain: held.chain, refreshAtMs }
}

/** One look at where a place stands, and the step that follows. */
class Advance {
  readonly #options: PodCertificatesOptions
  readonly #wish: CertificateWish
  readonly #standing: Standing

  constructor(options: PodCertificatesOptions, wish: CertificateWish, standing: Standing) {
    this.#options = options
    this.#wish = wish
    this.#standing = standing
  }

  async run(): Promise<void> {
    const { held } = this.#standing
    const isDue = held === undefined || held.refreshAtMs <= this.#options.clock.now()
    if (!isDue) return
    try {
      await this.#step()
    } catch (error) {
      // A pod that has a certificate keeps it while the next one cannot be asked for.
      if (held === undefined) throw error
    }
    if (held !== undefined && this.#standing.held === held) this.#tellOfDelay(held)
  }

  async #step(): Promise<void> {
    const requests = await this.#requests()
    if (this.#standing.asked !== undefined) this.#look(this.#standing.asked, requests)
    else this.#standing.asked = await this.#ask()
  }

  #requests(): Promise<Lister<PodCertificateRequest>> {
    const { pod, objects } = this.#wish
    return objects.follow(podCertificateRequests, {
      key: 'own',
      options: { fieldSelector: `spec.nodeName=${this.#options.nodeName}` },
      concerns: ({ spec }) => spec.podUID === pod.metadata.uid,
    })
  }

  #look({ privateKey, requestName, abandonAtMs }: Asked, requests: Lister<PodCertificateRequest>): void {
    const { namespace = '' } = this.#wish.pod.metadata
    const request = requests.get(requestName, namespace)
    if (request === undefined) {
      if (this.#options.clock.now() <= abandonAtMs) return
      delete this.#standing.asked
      throw new Error(`PodCertificateRequest "${namespace}/${requestName}" appears to have been deleted`)
    }
    const decided = request.status?.conditions?.find(({ type }) => type in outcomes)
    if (decided === undefined) return
    delete this.#standing.asked
    if (decided.type === 'Issued') return this.#hold(privateKey, request)
    const { word, refused } = outcomes[decided.type as keyof typeof outcomes]
    const why = { reason: JSON.stringify(decided.reason), message: JSON.stringify(decided.message) }
    this.#standing.refusal = `PodCertificateRequest was permanently ${word}: reason=${why.reason} message=${why.message}`
    this.#tell(
      decided.type,
      `PodCertificateRequest ${namespace}/${requestName} ${refused}, reason=${why.reason}, message=${why.message}`,
    )
  }

  #hold(privateKey: string, { status }: PodCertificateRequest): void {
    const { certificateChain = '', beginRefreshAt = '', notAfter = '' } = status ?? {}
    this.#standing.told.clear()
    this.#standing.held = {
      privateKey,
      chain: onlyCertificates(certificateChain),
      refreshAtMs: Date.parse(beginRefreshAt) + this.#options.random.next() * jitterMs,
      notAfterMs: Date.parse(notAfter),
    }
  }

  async #ask(): Promise<Asked> {
    const { client, clock, random, nodeName } = this.#options
    const { pod, source, nodeUid } = this.#wish
    const { name, namespace = '', uid } = pod.metadata
    const serviceAccountName = pod.spec.serviceAccountName || 'default'
    const account = await explained('while fetching service account', () =>
      client.resource(serviceAccounts, namespace).get(serviceAccountName),
    )
    if (nodeUid === undefined)
      throw new Error(`while getting node object from local cache: node "${nodeName}" not found`)
    const { privateKey, stubRequest } = await generateRequestKey(source.keyType)
    const { signerName, maxExpirationSeconds, userAnnotations } = source
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name, uid }]
    const spec = {
      signerName,
      ...{ podName: name, podUID: uid, nodeName, nodeUID: nodeUid },
      ...{ serviceAccountName, serviceAccountUID: account.metadata.uid },
      stubPKCS10Request: stubRequest,
      ...(maxExpirationSeconds !== undefined && { maxExpirationSeconds }),
      ...(userAnnotations && { unverifiedUserAnnotations: userAnnotations }),
    }
    const metadata = { generateName: 'req-', namespace, ownerReferences }
    const made = await explained('while creating initial PodCertificateRequest: while creating on API', () =>
      client.resource(podCertificateRequests, namespace).create({ metadata, spec }),
    )
    const abandonAtMs = clock.now() + lostAfterMs + random.next() * jitterMs
    return { privateKey, requestName: made.metadata.name, abandonAtMs }
  }

  #tellOfDelay({ refreshAtMs, notAfterMs }: Held): void {
    const nowMs = this.#options.clock.now()
    if (nowMs > refreshAtMs + overdueAfterMs)
      this.#tell('CertificateOverdueForRefresh', 'PodCertificate refresh overdue')
    if (nowMs > notAfterMs) this.#tell('CertificateExpired', 'PodCertificate expired')
  }

  /** Once for each certificate. */
  #tell(reason: string, message: string): void {
    const { told } = this.#standing
    if (told.has(reason)) return
    told.add(reason)
    this.#options.events.record(this.#wish.pod, 'Warning', reason, message)
  }
}

const outcomes = {
  Issued: { word: 'issued', refused: '' },
  Denied: { word: 'denied', refused: 'was denied' },
  Failed: { word: 'failed', refused: 'failed' },
} as const

/** What stands between the blocks is for people, and not for every reader. */
function onlyCertificates(chain: string): string {
  return readLooseBlocks(chain)
    .map(({ label, der }) => encodePem(label, der))
    .join('')
}

async function explained<T>(doing: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw new Error(`${doing}: ${(error as Error).message}`, { cause: error })
  }
}
