import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { Container, Pod, PodSpec } from '#api/types/core.v1.ts'
import { events, pods } from '#api/types/resources.ts'
import type { Client, ResourceClient } from '#client/client.ts'
import type { Kubectl } from './kubectl.ts'
import type { ProgramOptions, ProgramResult } from './run-program.ts'

export interface TestSpaceOptions {
  readonly client: Client
  readonly kubectl: Kubectl
  readonly namespace: string
}

/** A pod of a test, with what most tests leave alone filled in by `podOf`. */
export interface TestPod {
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  /** Of its one container, when `containers` is absent: a shell script for busybox to run. */
  readonly script?: string
  /** More fields of that container. */
  readonly container?: Partial<Container>
  /** More fields of the pod. */
  readonly spec?: Partial<PodSpec>
}

export const busybox = 'coracle.test/busybox:1'
const defaultTimeoutMs = 60_000

/** The pod that a test asks for: it runs once, its container is called `main`, and it needs no time to end. */
export function podOf({ name = 'pod', labels, annotations, script, container, spec }: TestPod): Pod {
  const command = script === undefined ? {} : { command: ['sh', '-c', script] }
  const main = { name: 'main', image: busybox, ...command, ...container }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...(labels && { labels }), ...(annotations && { annotations }) } as Pod['metadata'],
    spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 0, containers: [main], ...spec },
  }
}

/** The namespace of one test and what it does there. Everything waits on watches. */
export class TestSpace {
  readonly namespace: string
  readonly client: Client
  readonly #kubectl: Kubectl

  constructor({ client, kubectl, namespace }: TestSpaceOptions) {
    this.client = client
    this.namespace = namespace
    this.#kubectl = kubectl
  }

  of<T extends KubernetesObject>(resource: Resource<T>): ResourceClient<T> {
    return this.client.resource(resource, this.namespace)
  }

  /** Creates a pod and returns it as the server has it. */
  create(pod: TestPod): Promise<Pod> {
    return this.of(pods).create(podOf(pod))
  }

  /** Runs a pod to its end, whatever that is, and returns it with the log of its container `main`. */
  async run(pod: TestPod, timeoutMs?: number): Promise<{ readonly pod: Pod; readonly log: string }> {
    const { metadata } = await this.create(pod)
    const isOver = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed'
    const ended = await this.waitFor(pods, metadata.name, isOver, timeoutMs)
    const hasRun = ended.status?.containerStatuses?.some(({ containerID }) => containerID) ?? false
    return { pod: ended, log: hasRun ? await this.log(metadata.name) : '' }
  }

  /** Runs a pod that has to succeed and returns its log. */
  async output(pod: TestPod): Promise<string> {
    const { pod: ended, log } = await this.run(pod)
    if (ended.status?.phase === 'Succeeded') return log
    throw new Error(`the pod has failed: ${JSON.stringify(ended.status)}\nits log: ${log}`)
  }

  /** Creates a pod and waits until it is ready. */
  async start(pod: TestPod, timeoutMs?: number): Promise<Pod> {
    const { metadata } = await this.create(pod)
    return this.waitFor(pods, metadata.name, isReady, timeoutMs)
  }

  /**
   * The object once it is as asked, by list and watch. Throws with its last state when it is not so in time, or when it
   * is deleted.
   */
  async waitFor<T extends KubernetesObject>(
    resource: Resource<T>,
    name: string,
    isDone: (object: T) => boolean,
    timeoutMs: number = defaultTimeoutMs,
  ): Promise<T> {
    const fieldSelector = `metadata.name=${name}`
    const ended = AbortSignal.timeout(timeoutMs)
    const { items, resourceVersion } = await this.of(resource).list({ fieldSelector })
    let [last] = items
    if (last && isDone(last)) return last
    for await (const event of this.of(resource).watch({ fieldSelector, resourceVersion, signal: ended })) {
      if (event.type === 'BOOKMARK') continue
      last = event.object
      if (event.type === 'DELETED') break
      if (isDone(last)) return last
    }
    const why = ended.aborted ? `not as expected within ${timeoutMs / 1000} s` : 'deleted'
    throw new Error(`${resource.plural} ${name}: ${why}: ${shown(last)}`)
  }

  /** Waits until an object of the name is gone. */
  async waitGone<T extends KubernetesObject>(resource: Resource<T>, name: string, timeoutMs?: number): Promise<void> {
    const fieldSelector = `metadata.name=${name}`
    const signal = AbortSignal.timeout(timeoutMs ?? defaultTimeoutMs)
    const { items, resourceVersion } = await this.of(resource).list({ fieldSelector })
    if (items.length === 0) return
    for await (const event of this.of(resource).watch({ fieldSelector, resourceVersion, signal }))
      if (event.type === 'DELETED') return
    throw new Error(`${resource.plural} ${name} is still there: ${shown(items[0])}`)
  }

  /** Waits for an event about an object. */
  async waitForEvent(name: string, reason: string, text: RegExp = /./): Promise<string> {
    const fieldSelector = `involvedObject.name=${name},reason=${reason}`
    const signal = AbortSignal.timeout(defaultTimeoutMs)
    const { items, resourceVersion } = await this.of(events).list({ fieldSelector })
    const known = items.find(({ message = '' }) => text.test(message))
    if (known) return known.message ?? ''
    for await (const event of this.of(events).watch({ fieldSelector, resourceVersion, signal })) {
      if (event.type !== 'BOOKMARK' && text.test(event.object.message ?? '')) return event.object.message ?? ''
    }
    throw new Error(`no event ${reason} about ${name} matches ${text.source}`)
  }

  /** The log of a container. */
  async log(pod: string, container = 'main', query: Readonly<Record<string, string>> = {}): Promise<string> {
    const path = `/api/v1/namespaces/${this.namespace}/pods/${pod}/log`
    return (
      ((await this.client.raw({ method: 'GET', path, query: { container, ...query } })) as string | undefined) ?? ''
    )
  }

  /** Runs a command in a container and returns its standard output; it has to succeed. */
  exec(pod: string, container: string, ...command: readonly string[]): Promise<string> {
    return this.kubectl('exec', pod, '-c', container, '--', ...command)
  }

  /** kubectl in this namespace; it has to succeed. */
  kubectl(...args: readonly string[]): Promise<string> {
    return this.#kubectl.output('--namespace', this.namespace, ...args)
  }

  /** kubectl in this namespace, whatever comes of it. */
  runKubectl(args: readonly string[], options?: ProgramOptions): Promise<ProgramResult> {
    return this.#kubectl.run(['--namespace', this.namespace, ...args], options)
  }
}

/** An object as text, without what hides the rest. */
function shown(object: KubernetesObject | undefined): string {
  return JSON.stringify(object, (key, value: unknown) =>
    key === 'managedFields' || key === 'spec' ? undefined : value,
  )
}

export function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false
}
