import { isMirrorPod } from '#api/core/v1/pod-facts.ts'
import { keyOf } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import { pods } from '#api/types/resources.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import type { Client } from '#client/client.ts'
import type { Informer } from '#client/informer.ts'
import type { Clock } from '#lib/clock.ts'
import { KeyedTurns } from '#lib/keyed-turns.ts'
import type { Log } from '#lib/log.ts'
import type { StaticPodSettings } from '../configuration/kubelet-settings.ts'
import { followManifests, readManifests } from './manifest-folder.ts'
import { followManifestUrl } from './manifest-url.ts'
import { mirrorOf, mirrorStep } from './mirror-pod.ts'
import { readManifest, type ManifestSource } from './read-manifest.ts'

/** Runs static pods: the workers of a node. */
export interface StaticPodRunner {
  run(pod: Pod): void
  /** Resolves when nothing of the pod is left on the node. */
  end(pod: Pod): Promise<void>
  /** The API's picture of a static pod is another one now, or gone: statuses go there. */
  mirror(uid: string, mirror: Pod | undefined): void
}

export interface StaticPodsOptions {
  readonly places: StaticPodSettings
  readonly nodeName: string
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  readonly node: () => Node | undefined
  readonly runner: StaticPodRunner
}

const retryMs = 2_000

/**
 * Runs the pods whose manifests lie on the node, and shows each in the API by a mirror pod: deleting the mirror only
 * brings it back, deleting the manifest ends the pod.
 */
export class StaticPods {
  readonly #options: StaticPodsOptions
  /** The pods that are to run, and those that do, by namespace and name. */
  #wanted = new Map<string, Pod>()
  /** The same by where they come from. */
  readonly #found = new Map<ManifestSource, ReadonlyMap<string, Pod>>()
  readonly #running = new Map<string, Pod>()
  readonly #mirrors = new Map<string, Pod>()
  readonly #turns = new KeyedTurns()
  readonly #stop = new AbortController()

  constructor(options: StaticPodsOptions) {
    this.#options = options
  }

  /** Begins to run what there is: to be awaited before anything on the node counts as an orphan. */
  async start(own: Informer<Pod>): Promise<void> {
    const { path } = this.#options.places
    if (path !== '') await this.#look('file', await readManifests(path))
    own.listen({
      added: (pod) => this.#observe(pod, pod),
      updated: (pod) => this.#observe(pod, pod),
      deleted: (pod) => this.#observe(pod, undefined),
    })
  }

  /** Follows the manifests until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { places, clock, log } = this.#options
    const { path, url, urlHeaders: headers } = places
    signal.addEventListener('abort', () => this.#stop.abort(), { once: true })
    const ofFiles = { path, clock, everyMs: places.fileCheckMs }
    const ofUrl = { url, headers, clock, log, everyMs: places.urlCheckMs }
    await Promise.all([
      path !== '' && followManifests({ ...ofFiles, onLook: (texts) => this.#look('file', texts) }, signal),
      url !== '' && followManifestUrl({ ...ofUrl, onLook: (texts) => this.#look('http', texts) }, signal),
    ])
  }

  #observe(pod: Pod, now: Pod | undefined): void {
    if (!isMirrorPod(pod)) return
    const key = keyOf(pod)
    if (now === undefined) this.#mirrors.delete(key)
    else this.#mirrors.set(key, now)
    this.#settle(key)
  }

  async #look(source: ManifestSource, texts: ReadonlyMap<string, string>): Promise<void> {
    const { nodeName, clock, log } = this.#options
    const found = new Map<string, Pod>()
    for (const [path, text] of texts) {
      try {
        const pod = readManifest(text, { source, path, nodeName, nowMs: clock.now() })
        const known = this.#running.get(keyOf(pod))
        found.set(keyOf(pod), known?.metadata.uid === pod.metadata.uid ? known : pod)
      } catch (error) {
        log.warn('manifest of a static pod not used', { path, error })
      }
    }
    this.#found.set(source, found)
    const all = new Map([...this.#found.values()].flatMap((each) => [...each]))
    const keys = new Set([...all.keys(), ...this.#wanted.keys()])
    this.#wanted = all
    for (const key of keys) this.#settle(key)
  }

  /** Brings what runs and what the API shows in line with the manifest, one step after the other for each pod. */
  #settle(key: string): void {
    void this.#turns
      .run(key, () => this.#settleNow(key))
      .catch(async (error: unknown) => {
        const { log, clock } = this.#options
        log.warn('static pod not shown', { pod: key, error })
        await clock.sleep(retryMs, this.#stop.signal).then(
          () => this.#settle(key),
          () => undefined,
        )
      })
  }

  async #settleNow(key: string): Promise<void> {
    const { runner } = this.#options
    const wanted = this.#wanted.get(key)
    const running = this.#running.get(key)
    // A changed manifest is another pod of the same name: the old one goes first.
    if (running && running.metadata.uid !== wanted?.metadata.uid) {
      await runner.end(running)
      this.#running.delete(key)
    }
    if (wanted && !this.#running.has(key)) {
      this.#running.set(key, wanted)
      runner.run(wanted)
    }
    await this.#settleMirror(key, wanted)
  }

  async #settleMirror(key: string, wanted: Pod | undefined): Promise<void> {
    const { client, node, runner } = this.#options
    const mirror = this.#mirrors.get(key)
    const step = mirrorStep(wanted, mirror)
    if (wanted) runner.mirror(wanted.metadata.uid, step === 'none' ? mirror : undefined)
    if (step === 'create' && wanted) {
      const own = client.resource(pods, wanted.metadata.namespace ?? '')
      await own.create(mirrorOf(wanted, node())).catch(unless('AlreadyExists'))
    } else if (step === 'delete' && mirror) {
      const { name, namespace = '', uid } = mirror.metadata
      const own = client.resource(pods, namespace)
      await own.delete(name, { gracePeriodSeconds: 0, preconditions: { uid } }).catch(unless('NotFound'))
    }
  }
}

function unless(reason: 'AlreadyExists' | 'NotFound'): (error: unknown) => void {
  return (error) => {
    if (!isStatusError(error, reason)) throw error
  }
}
