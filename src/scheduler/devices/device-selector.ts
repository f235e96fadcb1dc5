import { kubernetesFunctions } from '#api/cel/kubernetes-functions.ts'
import type { Device, DeviceAttribute, DeviceSelector } from '#api/types/resource.v1.ts'
import { compileCel, type CelProgram } from '#lib/cel/program.ts'
import { EntryMap, type CelMap, type CelValue } from '#lib/cel/values.ts'
import { LruMap } from '#lib/lru-map.ts'

const maxPrograms = 200
/** Of one expression on one device (resource.k8s.io/v1, CELDeviceSelector). */
const maxCost = 1_000_000

/** Asks selectors about devices; each expression is compiled once. */
export class DeviceSelectors {
  readonly #programs = new LruMap<string, CelProgram>(maxPrograms)

  /** Whether the device of the driver passes all of them. Throws where an expression is wrong or fails. */
  matches(selectors: readonly DeviceSelector[] | undefined, driver: string, device: Device): boolean {
    if (selectors === undefined || selectors.length === 0) return true
    const variables = { device: valueOf(driver, device) }
    return selectors.every(({ cel }, index) => {
      if (!cel) return true
      try {
        return this.#programOf(cel.expression).evaluate(variables, { maxCost }).value === true
      } catch (error) {
        throw new Error(`selector #${index}: CEL runtime error: ${(error as Error).message}`, { cause: error })
      }
    })
  }

  #programOf(expression: string): CelProgram {
    const known = this.#programs.get(expression)
    if (known) return known
    const program = compileCel(expression, { variables: new Set(['device']), functions: kubernetesFunctions })
    this.#programs.set(expression, program)
    return program
  }
}

/** `device.driver`, `device.attributes["domain"].name`, `device.capacity["domain"].name`. */
function valueOf(driver: string, { attributes, capacity, allowMultipleAllocations }: Device): CelValue {
  return new EntryMap([
    ['driver', driver],
    ['allowMultipleAllocations', allowMultipleAllocations === true],
    ['attributes', byDomain(driver, attributes, attributeValue)],
    ['capacity', byDomain(driver, capacity, ({ value }) => call('quantity', value))],
  ])
}

function byDomain<T>(
  driver: string,
  values: Readonly<Record<string, T>> | undefined,
  convert: (value: T) => CelValue,
): CelMap {
  const domains = new Map<string, [string, CelValue][]>()
  for (const [key, value] of Object.entries(values ?? {})) {
    const [domain, name] = splitName(key, driver)
    const entries = domains.get(domain) ?? []
    entries.push([name, convert(value)])
    domains.set(domain, entries)
  }
  return new DomainMap([...domains].map(([domain, entries]) => [domain, new EntryMap(entries)]))
}

/** A domain that nobody uses has no names: looking one up in it is what fails, not the domain. */
class DomainMap extends EntryMap {
  override get(key: CelValue): CelValue | undefined {
    return super.get(key) ?? new EntryMap([])
  }
}

/** `domain/name`; a name without a domain is in that of the driver. */
export function splitName(key: string, driver: string): readonly [domain: string, name: string] {
  const cut = key.indexOf('/')
  return cut < 0 ? [driver, key] : [key.slice(0, cut), key.slice(cut + 1)]
}

function attributeValue({ string, bool, int, version }: DeviceAttribute): CelValue {
  if (string !== undefined) return string
  if (bool !== undefined) return bool
  if (int !== undefined) return BigInt(int)
  return version === undefined ? null : call('semver', version)
}

function call(name: 'quantity' | 'semver', text: string): CelValue {
  const made = kubernetesFunctions[name]
  if (!made) throw new Error(`CEL has no function ${name}`)
  return made([text])
}
