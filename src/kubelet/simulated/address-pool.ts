/** IPv4 addresses of a range, given out in order and reused last. */
export class AddressPool {
  readonly #first: number
  readonly #size: number
  readonly #taken = new Set<number>()
  #next = 0

  /** The first two addresses (network and gateway) and the last (broadcast) are not given out. */
  constructor(cidr: string) {
    const [address = '', prefix = '32'] = cidr.split('/')
    this.#first = address.split('.').reduce((number, part) => number * 256 + Number(part), 0) + 2
    this.#size = Math.max(2 ** (32 - Number(prefix)) - 3, 0)
  }

  /** Throws when all are taken. */
  take(): string {
    for (let tries = 0; tries < this.#size; tries++) {
      const offset = this.#next
      this.#next = (this.#next + 1) % this.#size
      if (this.#taken.has(offset)) continue
      this.#taken.add(offset)
      return this.#format(offset)
    }
    throw new Error('no IP addresses available in the range of the node')
  }

  release(addresses: readonly string[]): void {
    for (const offset of this.#taken) if (addresses.includes(this.#format(offset))) this.#taken.delete(offset)
  }

  #format(offset: number): string {
    const number = this.#first + offset
    return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
  }
}
