import assert from 'node:assert/strict'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { Container, Pod, PodSpec, PodTemplateSpec } from '#api/types/core.v1.ts'
import { pods } from '#api/types/resources.ts'
import type { SimulatedBehaviour } from '#kubelet/simulated/behaviour.ts'
import { resourcePath } from '#client/resource-path.ts'
import type { WholeCluster } from '../../simulation/whole-cluster.ts'

export type Labels = Readonly<Record<string, string>>

/** Where the tests keep their objects. */
export const namespace = 'test'

/** A pod template of one container, `c`, that runs until it is stopped unless the node's behaviour says otherwise. */
export function templateOf(
  labels: Labels,
  container: Partial<Container> = {},
  spec: Partial<PodSpec> = {},
): PodTemplateSpec {
  return {
    metadata: { labels } as never,
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'app:1', ...container }], ...spec },
  }
}

/** A node that can run every image but `missing:1`. */
export const withMissingImage: SimulatedBehaviour = {
  hasImage: (image) => !image.includes('missing:1'),
  pullError: (image) => (image.includes('missing:1') ? 'no such image' : undefined),
}

/** The pods with a label, those that are being deleted left out. */
export async function livePods({ client }: WholeCluster, labelSelector: string): Promise<readonly Pod[]> {
  const { items } = await client.resource(pods, namespace).list({ labelSelector })
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

interface Conditioned extends KubernetesObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

/** The status of an object as its own endpoint shows it. */
export async function readPart<T extends KubernetesObject>(
  { client }: WholeCluster,
  resource: Resource<T>,
  name: string,
  subresource: string,
): Promise<T> {
  return (await client.raw({ method: 'GET', path: pathOf(resource, name, subresource) })) as T
}

function pathOf(resource: Resource, name: string, subresource: string): string {
  return resourcePath(resource, { namespace: resource.namespaced ? namespace : undefined, name, subresource })
}

/** Reads, updates and patches the status; every later read shows what was written. */
export async function showStatusEndpoint<T extends KubernetesObject>(
  cluster: WholeCluster,
  resource: Resource<T>,
  name: string,
): Promise<void> {
  const { client, until } = cluster
  const collection = client.resource(
    resource as unknown as Resource<Conditioned>,
    resource.namespaced ? namespace : undefined,
  )
  const types = async (): Promise<readonly string[]> => {
    const { status } = (await readPart(cluster, resource, name, 'status')) as Conditioned
    return (status?.conditions ?? []).map(({ type }) => type)
  }
  await until('the status was updated', async () => {
    const read = (await readPart(cluster, resource, name, 'status')) as unknown as Conditioned
    const updated = { type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'Set from a test' }
    const conditions = [...(read.status?.conditions ?? []), updated]
    // A controller may write between the read and the update.
    const written = await collection
      .updateStatus({ ...read, status: { ...read.status, conditions } })
      .catch(() => undefined)
    return written !== undefined
  })
  assert.ok((await types()).includes('StatusUpdate'))
  const patch = { status: { conditions: [{ type: 'StatusPatched', status: 'True' }] } }
  await collection.patch(name, { type: 'merge', patch }, { subresource: 'status' })
  assert.ok((await types()).includes('StatusPatched'))
  assert.ok((await collection.get(name)).status?.conditions?.some(({ type }) => type === 'StatusPatched'))
}

interface Scale extends KubernetesObject {
  readonly spec: { readonly replicas?: number }
  readonly status: { readonly replicas: number; readonly selector?: string }
}

/** Reads, updates and patches the scale of a workload of one replica; the workload follows. */
export async function showScaleEndpoint<T extends KubernetesObject>(
  cluster: WholeCluster,
  resource: Resource<T>,
  name: string,
): Promise<void> {
  const { client } = cluster
  const path = pathOf(resource, name, 'scale')
  const replicasNow = async (): Promise<number | undefined> => {
    const object = (await client.resource(resource, namespace).get(name)) as { spec?: { replicas?: number } }
    return object.spec?.replicas
  }
  const scale = (await client.raw({ method: 'GET', path })) as Scale
  assert.equal(scale.spec.replicas, 1)
  assert.equal(scale.status.replicas, 1)
  const { resourceVersion: _any, ...metadata } = scale.metadata
  const updated = (await client.raw({
    method: 'PUT',
    path,
    body: { ...scale, metadata, spec: { replicas: 2 } },
  })) as Scale
  assert.equal(updated.spec.replicas, 2)
  assert.equal(await replicasNow(), 2)
  const contentType = 'application/merge-patch+json'
  const patched = (await client.raw({ method: 'PATCH', path, contentType, body: { spec: { replicas: 4 } } })) as Scale
  assert.equal(patched.spec.replicas, 4)
  assert.equal(await replicasNow(), 4)
}

/** Lists the objects with a label over all namespaces, deletes them together, and waits until none is left. */
export async function showCollection<T extends KubernetesObject>(
  { client, until }: WholeCluster,
  resource: Resource<T>,
  labelSelector: string,
  count: number,
): Promise<void> {
  const everywhere = client.resource(resource)
  assert.equal((await everywhere.list({ labelSelector })).items.length, count)
  await client.resource(resource, resource.namespaced ? namespace : undefined).deleteCollection({ labelSelector })
  await until(
    `no ${resource.plural} are left`,
    async () => (await everywhere.list({ labelSelector })).items.length === 0,
  )
}
