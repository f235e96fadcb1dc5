/** Which device ids each container of the node has, by resource. */
export type ContainerDevices = ReadonlyMap<string, readonly string[]>

interface LedgerRow {
  readonly podUid: string
  readonly container: string
  readonly resource: string
  readonly deviceIds: readonly string[]
}

/** Who has which devices. Kept on disk, because the plugins do not know it. */
export class DeviceLedger {
  readonly #rows: LedgerRow[]

  private constructor(rows: readonly LedgerRow[]) {
    this.#rows = [...rows]
  }

  /** Reads what `toText` wrote. Throws for any other text: devices must not be given out twice. */
  static parse(text: string): DeviceLedger {
    const { devices } = JSON.parse(text) as { readonly devices: readonly LedgerRow[] }
    return new DeviceLedger(devices)
  }

  static empty(): DeviceLedger {
    return new DeviceLedger([])
  }

  toText(): string {
    return `${JSON.stringify({ devices: this.#rows })}\n`
  }

  devicesOf(podUid: string, container: string): ContainerDevices {
    const rows = this.#rows.filter((row) => row.podUid === podUid && row.container === container)
    return new Map(rows.map(({ resource, deviceIds }) => [resource, deviceIds]))
  }

  /** The devices of a resource that somebody has. */
  taken(resource: string): ReadonlySet<string> {
    return new Set(this.#rows.filter((row) => row.resource === resource).flatMap(({ deviceIds }) => deviceIds))
  }

  record(podUid: string, container: string, resource: string, deviceIds: readonly string[]): void {
    this.#rows.push({ podUid, container, resource, deviceIds })
  }

  /** Gives back what pods have that are not among those. Answers whether there was any. */
  keepOnly(podUids: ReadonlySet<string>): boolean {
    const kept = this.#rows.filter(({ podUid }) => podUids.has(podUid))
    const isChanged = kept.length < this.#rows.length
    if (isChanged) this.#rows.splice(0, this.#rows.length, ...kept)
    return isChanged
  }
}
