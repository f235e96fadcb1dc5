import { explanationPath, type SchedulingExplanation } from '#api/core/v1/scheduling-explanation.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { Event } from '#api/types/core.v1.ts'
import { events } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'

/** Reads what a report needs. What may not be read is noted, and what does not exist is absent. */
export class WhyReader {
  readonly client: Client
  readonly nowMs: number
  readonly #notes = new Set<string>()

  constructor(client: Client, nowMs: number) {
    this.client = client
    this.nowMs = nowMs
  }

  get notes(): readonly string[] {
    return [...this.#notes]
  }

  async get<T extends KubernetesObject>(
    resource: Resource<T>,
    name: string,
    namespace?: string,
  ): Promise<T | undefined> {
    try {
      return await this.client.resource(resource, namespace).get(name)
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error
      return undefined
    }
  }

  /** The same, with a note where it may not be read. */
  async look<T extends KubernetesObject>(
    resource: Resource<T>,
    name: string,
    namespace?: string,
  ): Promise<T | 'unreadable' | undefined> {
    try {
      return await this.get(resource, name, namespace)
    } catch (error) {
      if (!isStatusError(error, 'Forbidden')) throw error
      this.#notes.add(`you may not read ${resource.plural}${namespace === undefined ? '' : ` in ${namespace}`}`)
      return 'unreadable'
    }
  }

  /** Whether the object exists; also true where that may not be known. */
  async exists(resource: Resource, name: string, namespace?: string): Promise<boolean> {
    return (await this.look(resource, name, namespace)) !== undefined
  }

  async list<T extends KubernetesObject>(resource: Resource<T>, namespace: string): Promise<readonly T[]> {
    return (await this.client.resource(resource, namespace).list()).items
  }

  /** About one object, the newest first. */
  async eventsOf({ kind, metadata }: KubernetesObject): Promise<readonly Event[]> {
    const fieldSelector = `involvedObject.name=${metadata.name},involvedObject.kind=${kind}`
    const { items } = await this.client.resource(events, metadata.namespace ?? 'default').list({ fieldSelector })
    return items.filter((event) => event.involvedObject.uid === metadata.uid).sort((a, b) => timeOf(b) - timeOf(a))
  }

  /** The scheduler's own account of a pod, where this server runs it and the reader may see it. */
  async explanationOf(namespace: string, name: string): Promise<SchedulingExplanation | undefined> {
    try {
      const path = explanationPath(namespace, name)
      return (await this.client.raw({ method: 'GET', path })) as SchedulingExplanation
    } catch (error) {
      const why = (error as Error).message
      if (!isStatusError(error, 'NotFound') || !/has no decision/.test(why)) {
        this.#notes.add(`the scheduler's own account is not to be had (${why}); this is from status and events`)
      }
      return undefined
    }
  }
}

function timeOf({ lastTimestamp, eventTime, series, metadata }: Event): number {
  return Date.parse(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '') || 0
}
