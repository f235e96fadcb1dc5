import { isDeepStrictEqual } from 'node:util'
import { isStatusError } from '#api/meta/status.ts'
import type { New } from '#api/meta/resource.ts'
import type { Node } from '#api/types/core.v1.ts'
import type { CSINode, CSINodeDriver } from '#api/types/storage.v1.ts'
import { csiNodes, nodes } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import type { CsiNodeInfo } from './csi-driver.ts'

const nodeIdAnnotation = 'csi.volume.kubernetes.io/nodeid'
const migratedAnnotation = 'storage.alpha.kubernetes.io/migrated-plugins'
/** In-tree volume types that only their CSI drivers serve any more. */
const migratedPlugins = [
  'aws-ebs',
  'azure-disk',
  'azure-file',
  'cinder',
  'gce-pd',
  'portworx-volume',
  'vsphere-volume',
].map((name) => `kubernetes.io/${name}`)
const attempts = 5

/** Tells the API which drivers the node has: in its CSINode, and for their topology in the labels of the Node. */
export class CsiNodeWriter {
  readonly #client: Client
  readonly #nodeName: string

  constructor(client: Client, nodeName: string) {
    this.#client = client
    this.#nodeName = nodeName
  }

  /** Makes sure that the node's CSINode exists. */
  async ensure(): Promise<void> {
    await this.#change((drivers) => drivers)
  }

  /** Throws where the driver's topology contradicts a label that the node has. */
  async add(driver: string, info: CsiNodeInfo): Promise<void> {
    await this.#annotate(driver, info)
    await this.#change((drivers) => withDriver(drivers, driver, info))
  }

  async remove(driver: string): Promise<void> {
    await this.#change((drivers) => drivers.filter(({ name }) => name !== driver))
    const node = await this.#client.resource(nodes).get(this.#nodeName)
    await this.#writeNodeIds(node, ({ [driver]: _gone, ...rest }) => rest, {})
  }

  async #annotate(driver: string, { nodeId, topology }: CsiNodeInfo): Promise<void> {
    const node = await this.#client.resource(nodes).get(this.#nodeName)
    const labels = node.metadata.labels ?? {}
    for (const [key, value] of Object.entries(topology)) {
      const existing = labels[key]
      if (existing !== undefined && existing !== value)
        throw new Error(
          `detected topology value collision: driver reported "${key}":"${value}" but existing label is "${key}":"${existing}"`,
        )
    }
    await this.#writeNodeIds(node, (ids) => ({ ...ids, [driver]: nodeId }), topology)
  }

  async #writeNodeIds(
    { metadata }: Node,
    change: (ids: Record<string, string>) => Record<string, string>,
    labels: CsiNodeInfo['topology'],
  ): Promise<void> {
    const ids = change(nodeIdsOf(metadata.annotations?.[nodeIdAnnotation]))
    const annotation = Object.keys(ids).length === 0 ? null : JSON.stringify(ids)
    const isSame =
      (metadata.annotations?.[nodeIdAnnotation] ?? null) === annotation &&
      Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value)
    if (isSame) return
    const patch = { metadata: { annotations: { [nodeIdAnnotation]: annotation }, labels } }
    await this.#client.resource(nodes).patch(this.#nodeName, { type: 'strategic', patch })
  }

  async #change(decide: (drivers: readonly CSINodeDriver[]) => readonly CSINodeDriver[]): Promise<void> {
    const own = this.#client.resource(csiNodes)
    for (let attempt = 1; ; attempt++) {
      try {
        const existing = await this.#existing()
        if (existing === undefined) {
          await own.create(freshCsiNode(await this.#client.resource(nodes).get(this.#nodeName), decide([])))
          return
        }
        // An empty list comes back as null, as required lists do.
        const known = (existing.spec.drivers as typeof existing.spec.drivers | null) ?? []
        const drivers = decide(known)
        if (!isDeepStrictEqual(drivers, known)) await own.update({ ...existing, spec: { drivers } })
        return
      } catch (error) {
        if (attempt >= attempts || !isStatusError(error, 'Conflict', 'AlreadyExists')) throw error
      }
    }
  }

  async #existing(): Promise<CSINode | undefined> {
    try {
      return await this.#client.resource(csiNodes).get(this.#nodeName)
    } catch (error) {
      if (isStatusError(error, 'NotFound')) return undefined
      throw error
    }
  }
}

function nodeIdsOf(annotation: string | undefined): Record<string, string> {
  try {
    return annotation === undefined ? {} : (JSON.parse(annotation) as Record<string, string>)
  } catch {
    return {}
  }
}

/** It goes with its node. */
function freshCsiNode({ metadata }: Node, drivers: readonly CSINodeDriver[]): New<CSINode> {
  const owner = { apiVersion: 'v1', kind: 'Node', name: metadata.name, uid: metadata.uid }
  return {
    metadata: {
      name: metadata.name,
      annotations: { [migratedAnnotation]: migratedPlugins.join() },
      ownerReferences: [owner],
    },
    spec: { drivers },
  }
}

/** The list with the driver as it is now, in its old place where it had one. */
export function withDriver(
  drivers: readonly CSINodeDriver[],
  name: string,
  { nodeId, maximumVolumes, topology }: CsiNodeInfo,
): readonly CSINodeDriver[] {
  const topologyKeys = Object.keys(topology).sort()
  const entry: CSINodeDriver = {
    name,
    nodeID: nodeId,
    topologyKeys,
    ...(maximumVolumes > 0 && { allocatable: { count: maximumVolumes } }),
  }
  const known = drivers.some((driver) => driver.name === name)
  return known ? drivers.map((driver) => (driver.name === name ? entry : driver)) : [...drivers, entry]
}
