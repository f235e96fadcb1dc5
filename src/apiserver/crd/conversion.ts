import { isSameJson } from '#api/meta/merge-patch.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { StatusError } from '#api/meta/status.ts'
import { decodeValue } from '#api/schema/decode.ts'
import { applySchemaDefaults } from '#api/schema/defaults.ts'
import type { ObjectNode } from '#api/schema/node.ts'
import type { CustomResourceDefinition } from '#api/types/apiextensions.v1.ts'
import { deepFreeze } from '#lib/deep-freeze.ts'
import type { VersionConversion } from '../registry/served-resource.ts'

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
  { spec }: CustomResourceDefinition,
  served: VersionForm,
  stored: VersionForm,
): VersionConversion {
  const known = new WeakMap<KubernetesObject, KubernetesObject>()
  const isSame = served.version === stored.version
  const requireNone = (): void => {
    if (isSame || spec.conversion?.strategy !== 'Webhook') return
    const target = `${spec.group}/${served.version}, Kind=${spec.names.kind}`
    throw new StatusError(
      'InternalError',
      `conversion webhook for ${target} failed: conversion by webhook is not supported by this server`,
    )
  }
  return {
    toServed(object) {
      const before = known.get(object)
      if (before !== undefined) return before
      const wanted = `${spec.group}/${served.version}`
      if (object.apiVersion !== wanted) requireNone()
      const result = asServed(object, wanted, served.node())
      known.set(object, result)
      return result
    },
    toStored(object) {
      if (isSame) return object
      requireNone()
      const moved = { ...object, apiVersion: `${spec.group}/${stored.version}` }
      return decodeValue<KubernetesObject>(stored.node(), moved).object
    },
  }
}

function asServed(object: KubernetesObject, apiVersion: string, node: ObjectNode): KubernetesObject {
  const moved = object.apiVersion === apiVersion ? object : { ...object, apiVersion }
  const read = decodeValue<KubernetesObject>(node, moved).object
  applySchemaDefaults(node, read)
  return isSameJson(read, object) ? object : deepFreeze(read)
}
