/** Which device ids each container of the node has, by resource. */
export type ContainerDevices = ReadonlyMap<string, readonly string[]>

interface LedgerRow {
  readonly podUid: string
  readonly container: string
  readonly resource: string
  readonly deviceIds: readonly string[]
}

interface LedgerText {
  readonly resources: readonly string[]
  readonly devices: readonly LedgerRow[]
}

/** Who has which devices. Kept on disk, because the plugins do not know it. */
export class DeviceLedger {
  readonly #rows: LedgerRow[]
  /** The resources that plugins have registered for on this node. */
  readonly resources: Set<string>

  private constructor({ resources, devices }: LedgerText) {
    this.#rows = [...devices]
    this.resources = new Set(resources)
  }

  /** Reads what `toText` wrote. Throws for any other text: devices must not be given out twice. */
  static parse(text: string): DeviceLedger {
    return new DeviceLedger(JSON.parse(text) as LedgerText)
  }

  static empty(): DeviceLedger {
    return new DeviceLedger({ resources: [], devices: [] })
  }

  toText(): string {
    return `${JSON.stringify({ resources: [...this.resources], devices: this.#rows } satisfies LedgerText)}\n`
  }

  devicesOf(podUid: string, container: string): ContainerDevices {
    const rows = this.#rows.filter((row) => row.podUid === podUid && row.container === container)
    return new Map(rows.map(({ resource, deviceIds }) => [resource, deviceIds]))
  }

  /** Uids of the pods that have devices. */
  get holders(): ReadonlySet<string> {
    return new Set(this.#rows.map(({ podUid }) => podUid))
  }

  devicesOfPod(podUid: string, resource: string): readonly string[] {
    const rows = this.#rows.filter((row) => row.podUid === podUid && row.resource === resource)
    return [...new Set(rows.flatMap(({ deviceIds }) => deviceIds))]
  }

  /** The devices of a resource that somebody has. */
  taken(resource: string): ReadonlySet<string> {
    return new Set(this.#rows.filter((row) => row.resource === resource).flatMap(({ deviceIds }) => deviceIds))
  }

  record(podUid: string, container: string, resource: string, deviceIds: readonly string[]): void {
    this.#rows.push({ podUid, container, resource, deviceIds })
  }

  /** Gives back what the pod has. Answers whether there was anything. */
  remove(podUid: string): boolean {
    return this.keepOnly(new Set([...this.holders].filter((uid) => uid !== podUid)))
  }

  /** Gives back what pods have that are not among those. Answers whether there was any. */
  keepOnly(podUids: ReadonlySet<string>): boolean {
    const kept = this.#rows.filter(({ podUid }) => podUids.has(podUid))
    const isChanged = kept.length < this.#rows.length
    if (isChanged) this.#rows.splice(0, this.#rows.length, ...kept)
    return isChanged
  }
}
