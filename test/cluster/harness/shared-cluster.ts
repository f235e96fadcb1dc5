import { randomBytes } from 'node:crypto'
import { after, before } from 'node:test'
import type { TestContext } from 'node:test'
import { namespaces, serviceAccounts } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import { createClient } from '#client/create-client.ts'
import { httpsTransport, type HttpsTransport } from '#client/https-transport.ts'
import { readKubeconfig } from '#client/kubeconfig.ts'
import { systemClock } from '#lib/clock.ts'
import { startCluster, type Cluster, type ClusterOptions } from './cluster.ts'
import { skipWithoutRoot } from './needs-root.ts'
import { TestSpace } from './test-space.ts'

/** One cluster, with the test images, for all the tests of a file. */
export interface SharedCluster {
  readonly cluster: Cluster
  /** Everything the administrator may do, over HTTPS. */
  readonly client: Client
  /** A namespace of the test's own; it is deleted after the test, and nobody waits for that. */
  space(t: TestContext, labels?: Readonly<Record<string, string>>): Promise<TestSpace>
}

/**
 * Starts a cluster before the tests of the file that calls it and removes it after them. To be called once, at the top
 * level; what it returns can be used inside of tests only.
 */
export function sharedCluster(options: ClusterOptions = {}): SharedCluster {
  let running: { cluster: Cluster; client: Client; transport: HttpsTransport } | undefined
  before(async () => {
    if (skipWithoutRoot !== false) return
    const cluster = await startCluster(options)
    const access = readKubeconfig(cluster.layout.kubeconfig)
    const transport = httpsTransport({ ...access, clock: systemClock, maxConnections: 256 })
    running = { cluster, transport, client: createClient(transport) }
    await cluster.loadImages()
  })
  after(async () => {
    running?.transport.close()
    await running?.cluster[Symbol.asyncDispose]()
  })
  const started = (): NonNullable<typeof running> => {
    if (running === undefined) throw new Error('the cluster of this file is not started')
    return running
  }
  return {
    get cluster() {
      return started().cluster
    },
    get client() {
      return started().client
    },
    async space(t, labels = {}) {
      const { client, cluster } = started()
      const name = `test-${randomBytes(4).toString('hex')}`
      await client.resource(namespaces).create({ metadata: { name, labels }, spec: {} })
      t.after(() => client.resource(namespaces).delete(name))
      const space = new TestSpace({ client, kubectl: cluster.kubectl, namespace: name })
      // Pods are refused until their account is there.
      await space.waitFor(serviceAccounts, 'default', () => true)
      return space
    },
  }
}
