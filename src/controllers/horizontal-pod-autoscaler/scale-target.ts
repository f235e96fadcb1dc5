import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import { builtInCatalog } from '#api/schema/catalog.ts'
import type { CrossVersionObjectReference } from '#api/types/autoscaling.v2.ts'
import { customResourceDefinitions } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import type { Informers } from '#client/informer.ts'
import { resourcePath } from '#client/resource-path.ts'
import { groupOf } from '../owned-objects.ts'
import { customResource } from '../served-resources.ts'

/** The `scale` of a workload (API reference, autoscaling/v1). */
export interface Scale extends KubernetesObject {
  readonly spec: { readonly replicas?: number }
  readonly status?: { readonly replicas: number; readonly selector?: string }
}

/** The resource that a reference means; undefined when nobody serves its kind. */
export function resourceOf(reference: CrossVersionObjectReference, informers: Informers): Resource | undefined {
  const group = groupOf(reference.apiVersion ?? 'v1')
  const isMeant = (resource: Resource): boolean => resource.group === group && resource.kind === reference.kind
  const builtIn = builtInCatalog().resources.find(isMeant)
  if (builtIn !== undefined) return builtIn
  const definitions = informers.of(customResourceDefinitions).list()
  return definitions.flatMap((definition) => customResource(definition) ?? []).find(isMeant)
}

/** Path of a part of the object that a reference means, or undefined when nobody serves its kind. */
export function pathOf(
  reference: CrossVersionObjectReference,
  { namespace, subresource, informers }: { namespace: string; subresource?: string; informers: Informers },
): string | undefined {
  const resource = resourceOf(reference, informers)
  return resource && resourcePath(resource, { namespace, name: reference.name, subresource })
}

export async function readScale(client: Client, path: string): Promise<Scale> {
  return (await client.raw({ method: 'GET', path })) as Scale
}

export async function writeScale(client: Client, path: string, scale: Scale, replicas: number): Promise<void> {
  await client.raw({ method: 'PUT', path, body: { ...scale, spec: { ...scale.spec, replicas } } })
}
