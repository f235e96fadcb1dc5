import { isSameJson } from '#api/meta/merge-patch.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { decodeValue } from '#api/schema/decode.ts'
import { applySchemaDefaults } from '#api/schema/defaults.ts'
import type { ObjectNode } from '#api/schema/node.ts'
import type { CustomResourceDefinition } from '#api/types/apiextensions.v1.ts'
import { deepFreeze } from '#lib/deep-freeze.ts'
import type { VersionConversion } from '../registry/served-resource.ts'
import type { ConvertByWebhook } from './webhook-conversion.ts'

/** One version of a custom resource and the type of its objects. */
export interface VersionForm {
  readonly version: string
  readonly node: () => ObjectNode
}

/**
 * Between the stored version and a served one. Stored objects may be older than the schema: reading prunes and fills
 * defaults by the schema of today. What needs no change is served as it is stored, with its bytes.
 */
export function customConversion(
  definition: CustomResourceDefinition,
  served: VersionForm,
  stored: VersionForm,
  convert: ConvertByWebhook,
): VersionConversion {
  const { group } = definition.spec
  const wanted = `${group}/${served.version}`
  const known = new WeakMap<KubernetesObject, KubernetesObject>()
  const changeVersion = {
    toServed(object: KubernetesObject): KubernetesObject {
      const before = known.get(object)
      if (before !== undefined) return before
      const result = asServed(object, wanted, served.node())
      known.set(object, result)
      return result
    },
    toStored(object: KubernetesObject): KubernetesObject {
      if (served.version === stored.version) return object
      const moved = { ...object, apiVersion: `${group}/${stored.version}` }
      return decodeValue<KubernetesObject>(stored.node(), moved).object
    },
  }
  if (definition.spec.conversion?.strategy !== 'Webhook') return changeVersion
  return byWebhook(changeVersion, (objects, apiVersion) => convert(definition, objects, apiVersion), {
    served: wanted,
    stored: `${group}/${stored.version}`,
  })
}

type Convert = (objects: readonly KubernetesObject[], apiVersion: string) => Promise<readonly KubernetesObject[]>

/** Objects of another version are converted first, many at once; what comes back is then read by the schema. */
function byWebhook(
  inner: VersionConversion,
  convert: Convert,
  versions: { readonly served: string; readonly stored: string },
): VersionConversion {
  const ready = new WeakMap<KubernetesObject, KubernetesObject>()
  const prepare = async (objects: readonly KubernetesObject[], apiVersion: string): Promise<void> => {
    const waiting = objects.filter((object) => object.apiVersion !== apiVersion && !ready.has(object))
    if (waiting.length === 0) return
    const converted = await convert(waiting, apiVersion)
    for (const [index, object] of waiting.entries()) ready.set(object, converted[index] ?? object)
  }
  return {
    prepareServed: (stored) => prepare(stored, versions.served),
    async prepareStored(object) {
      // A draft may have changed since it was converted last.
      ready.delete(object)
      await prepare([object], versions.stored)
    },
    toServed: (stored) => inner.toServed(ready.get(stored) ?? stored),
    toStored: (object) => inner.toStored(ready.get(object) ?? object),
  }
}

function asServed(object: KubernetesObject, apiVersion: string, node: ObjectNode): KubernetesObject {
  const moved = object.apiVersion === apiVersion ? object : { ...object, apiVersion }
  const read = decodeValue<KubernetesObject>(node, moved).object
  applySchemaDefaults(node, read)
  return isSameJson(read, object) ? object : deepFreeze(read)
}
