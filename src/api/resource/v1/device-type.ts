import { abstractType, boolType, objectType, type Type } from '#lib/cel/types.ts'
import { maxAttributes, maxDomainLength, maxIdLength, maxTextLength } from './device-limits.ts'

const text = (maxElements: number): Type => ({ kind: 'simple', name: 'string', maxElements })

/** Of an unknown type, but of a known size: attributes are booleans, numbers, texts or versions. */
const attribute: Type = { kind: 'simple', name: 'dyn', maxElements: maxTextLength }

function byDomain(value: Type): Type {
  const byName: Type = mapOfText(text(maxIdLength), value)
  return mapOfText(text(maxDomainLength), byName)
}

/** An entry that is selected by its name is known as well as one that is looked up. */
function mapOfText(key: Type, value: Type): Type {
  return { kind: 'map', key, value, maxElements: maxAttributes, sizesSelected: true }
}

/** What expressions that choose devices see (resource.k8s.io/v1, `CELDeviceSelector`). */
export const deviceVariables: ReadonlyMap<string, Type> = new Map([
  [
    'device',
    objectType('kubernetes.DRADevice', {
      driver: text(maxDomainLength),
      allowMultipleAllocations: boolType,
      attributes: byDomain(attribute),
      capacity: byDomain(abstractType('kubernetes.Quantity')),
    }),
  ],
])
