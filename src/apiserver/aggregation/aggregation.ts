import type { ApiRequest, ApiResponse, UserInfo } from '#api/meta/exchange.ts'
import { StatusError } from '#api/meta/status.ts'
import type { RemoteGroupVersion } from '../registry/resource-table.ts'
import type { UpgradeRequest } from '../upgrade.ts'
import type { ExtensionDialer, ExtensionTarget } from './extension-dialer.ts'
import { localVersion, type LocalApi } from './local-api.ts'
import { proxyRequest, unavailable } from './proxy-request.ts'
import { proxyUpgrade } from './proxy-upgrade.ts'
import { askDiscovery, askJson, type RemoteVersion } from './remote-discovery.ts'
import { isAvailable, type RemoteService, type RemoteServices } from './remote-services.ts'

/** Serves what other API servers answer for: passes requests on, and remembers what they said that they serve. */
export class Aggregation {
  readonly #services: RemoteServices
  readonly #dialer: ExtensionDialer | undefined
  readonly #locals: readonly LocalApi[]
  readonly #known = new Map<string, RemoteVersion>()

  constructor(services: RemoteServices, dialer: ExtensionDialer | undefined, locals: readonly LocalApi[] = []) {
    this.#services = services
    this.#dialer = dialer
    this.#locals = locals
  }

  /** The service that answers for a path, or undefined for what this server answers itself. */
  serviceOf(path: string): RemoteService | undefined {
    if (this.#services.isEmpty) return undefined
    if (!path.startsWith('/apis/') && !path.startsWith('/openapi/v3/apis/')) return undefined
    const segments = path.split('/')
    const at = segments[1] === 'apis' ? 2 : 4
    const [group = '', version = ''] = segments.slice(at)
    return version === '' ? undefined : this.#services.find(group, version)
  }

  /** The part of this process that answers for a version, unless another server does. */
  localOf(group: string, version: string): LocalApi | undefined {
    const api = this.#locals.find((each) => each.group === group && each.version === version)
    return api?.isServed() === true && this.#services.find(group, version) === undefined ? api : undefined
  }

  async answer(service: RemoteService, request: ApiRequest, user: UserInfo): Promise<ApiResponse> {
    if (this.#dialer === undefined || !isAvailable(service)) return unavailable('service unavailable')
    let target: ExtensionTarget
    try {
      target = this.#services.target(service)
    } catch {
      return unavailable('service unavailable')
    }
    return proxyRequest(request, user, target, this.#dialer)
  }

  async upgrade(service: RemoteService, upgrade: UpgradeRequest): Promise<void> {
    if (this.#dialer === undefined || !isAvailable(service)) {
      throw new StatusError('ServiceUnavailable', 'service unavailable')
    }
    return proxyUpgrade(upgrade, this.#services.target(service), this.#dialer)
  }

  /** Asks the server of a service what it serves, and remembers it; answers why it could not tell. */
  async refresh(service: RemoteService): Promise<string | undefined> {
    if (this.#dialer === undefined) return 'this server reaches no extension API servers'
    try {
      const target = this.#services.target(service)
      this.#known.set(service.metadata.name, await askDiscovery(service, target, this.#dialer))
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  }

  /** Drops what was remembered of services that are gone. */
  forget(name: string): void {
    this.#known.delete(name)
  }

  /** What discovery tells of other servers and parts: of one that is away what it said last, marked as stale. */
  versions(): readonly RemoteGroupVersion[] {
    const locals = this.#locals.filter(({ group, version }) => this.localOf(group, version) !== undefined)
    const remote = this.#services.all().map((service) => {
      const { group = '', version = '', groupPriorityMinimum, versionPriority } = service.spec
      const { rows = [], openApiHash = '' } = this.#known.get(service.metadata.name) ?? {}
      const isStale = !isAvailable(service)
      return { group, version, rows, openApiHash, isStale, groupPriorityMinimum, versionPriority }
    })
    return [...locals.map(localVersion), ...remote]
  }

  /** The OpenAPI 2 documents of the servers that answer; each only with the paths it answers for. */
  async openApiV2(): Promise<readonly OpenApiV2Part[]> {
    const dialer = this.#dialer
    if (dialer === undefined) return []
    const parts = this.#services
      .all()
      .filter(isAvailable)
      .map(async (service) => {
        try {
          const document = (await askJson('/openapi/v2', this.#services.target(service), dialer)) as OpenApiV2Part
          const prefix = `/apis/${service.spec.group ?? ''}/`
          const paths = Object.entries(document.paths ?? {}).filter(([path]) => path.startsWith(prefix))
          return [{ paths: Object.fromEntries(paths), definitions: document.definitions ?? {} }]
        } catch {
          return []
        }
      })
    return (await Promise.all(parts)).flat()
  }

  close(): void {
    this.#dialer?.close()
  }
}

export interface OpenApiV2Part {
  readonly paths?: Readonly<Record<string, unknown>>
  readonly definitions?: Readonly<Record<string, unknown>>
}
