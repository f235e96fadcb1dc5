import type { APIService, ServiceReference } from '#api/types/apiregistration.v1.ts'
import { apiServices } from '#api/types/resources.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import { serviceAddress } from '../webhooks/webhook-target.ts'
import type { ExtensionTarget } from './extension-dialer.ts'

/** An APIService that another server answers for. */
export interface RemoteService extends APIService {
  readonly spec: APIService['spec'] & { readonly service: ServiceReference }
}

/** The APIServices of other servers, by what they serve. */
export class RemoteServices {
  readonly #reader: ObjectReader
  #list: readonly APIService[] = []
  #byVersion: ReadonlyMap<string, RemoteService> = new Map()

  constructor(reader: ObjectReader) {
    this.#reader = reader
  }

  find(group: string, version: string): RemoteService | undefined {
    return this.#current().get(`${group}/${version}`)
  }

  get isEmpty(): boolean {
    return this.#current().size === 0
  }

  all(): readonly RemoteService[] {
    return [...this.#current().values()]
  }

  /** Where a request for the service goes. Throws an Error for one that nobody answers for. */
  target({ spec }: RemoteService): ExtensionTarget {
    const { name = '', namespace = '', port = httpsPort } = spec.service
    const { host, port: at } = serviceAddress({ name, namespace, port }, this.#reader)
    const ca = spec.caBundle === undefined || spec.caBundle === '' ? undefined : spec.caBundle
    return {
      host,
      port: at,
      serverName: `${name}.${namespace}.svc`,
      ca: ca && Buffer.from(ca, 'base64').toString(),
      isUnchecked: spec.insecureSkipTLSVerify === true,
    }
  }

  /** Lists are the very same until one of their objects changes. */
  #current(): ReadonlyMap<string, RemoteService> {
    const list = this.#reader.list(apiServices)
    if (list === this.#list) return this.#byVersion
    this.#list = list
    this.#byVersion = new Map(
      list.filter(isRemote).map((service) => [`${service.spec.group ?? ''}/${service.spec.version ?? ''}`, service]),
    )
    return this.#byVersion
  }
}

const httpsPort = 443

export function isRemote(service: APIService): service is RemoteService {
  return service.spec.service !== undefined
}

export function isAvailable({ status }: APIService): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Available' && value === 'True') === true
}
