import { convertObject } from '#api/conversion/convert.ts'
import { builtInCatalog } from '#api/schema/catalog.ts'
import type { VersionConversion } from './served-resource.ts'

/** How a served version differs from the stored one; undefined where they are the same. */
export function conversionOf(group: string, version: string, plural: string): VersionConversion | undefined {
  const stored = builtInCatalog().find(group, version, plural)?.storage
  if (stored === undefined || (stored.group === group && stored.version === version)) return undefined
  return {
    toServed: (object) => convertObject(object, { group, version }),
    toStored: (object) => convertObject(object, stored),
  }
}
