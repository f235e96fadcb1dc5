import type { Device, DeviceConstraint } from '#api/types/resource.v1.ts'
import { splitName } from './device-selector.ts'
import type { OfferedDevice } from './device-pools.ts'

/** A constraint of a claim over the devices chosen so far: they agree in an attribute, or all differ in it. */
export class ClaimConstraint {
  readonly #constraint: DeviceConstraint
  readonly #values: string[] = []

  constructor(constraint: DeviceConstraint) {
    this.#constraint = constraint
  }

  /** Takes the device if it fits with the others; the answer takes it back. Nothing: it does not fit. */
  add(request: string, offered: OfferedDevice): (() => void) | undefined {
    const { matchAttribute, distinctAttribute } = this.#constraint
    const name = matchAttribute ?? distinctAttribute
    if (name === undefined || !this.#concerns(request)) return () => undefined
    const value = attributeOf(offered.device, offered.driver, name)
    if (value === undefined) return undefined
    const isKnown = this.#values.includes(value)
    if (this.#values.length > 0 && isKnown !== (matchAttribute !== undefined)) return undefined
    this.#values.push(value)
    return () => void this.#values.pop()
  }

  /** A request stands for its alternatives too. */
  #concerns(request: string): boolean {
    const { requests = [] } = this.#constraint
    return requests.length === 0 || requests.includes(request) || requests.includes(request.split('/')[0] ?? '')
  }
}

/** An attribute by its full name, as text that tells values and their types apart. */
function attributeOf({ attributes }: Device, driver: string, fullName: string): string | undefined {
  const [domain, name] = splitName(fullName, driver)
  const value = attributes?.[fullName] ?? (domain === driver ? attributes?.[name] : undefined)
  return value && JSON.stringify(value)
}
