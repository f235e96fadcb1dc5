import { convertObject } from '#api/conversion/convert.ts'
import type { ServedResource as CatalogResource } from '#api/schema/catalog.ts'
import type { VersionConversion } from './served-resource.ts'

/** How a served version differs from the stored one; undefined where they are the same. */
export function conversionOf(resource: CatalogResource): VersionConversion | undefined {
  const { group, version, storage } = resource
  if (storage.group === group && storage.version === version) return undefined
  return {
    toServed: (stored) => convertObject(stored, { group, version }),
    toStored: (served) => convertObject(served, storage),
  }
}
