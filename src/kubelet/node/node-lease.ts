import { isStatusError } from '#api/meta/status.ts'
import { leases } from '#api/types/resources.ts'
import type { Lease } from '#api/types/coordination.v1.ts'
import type { Node } from '#api/types/core.v1.ts'
import type { Client } from '#client/client.ts'
import { formatMicroTime, type Clock } from '#lib/clock.ts'

const leaseNamespace = 'kube-node-lease'

/** The node's heartbeat: a Lease that belongs to the node. `renew` makes it when it is missing. */
export class NodeLease {
  readonly #client: Client
  readonly #clock: Clock
  readonly #seconds: number
  #lease: Lease | undefined

  constructor({ client, clock }: { readonly client: Client; readonly clock: Clock }, seconds: number) {
    this.#client = client
    this.#clock = clock
    this.#seconds = seconds
  }

  async renew(node: Node, signal: AbortSignal): Promise<void> {
    const own = this.#client.resource(leases, leaseNamespace)
    const { name, uid } = node.metadata
    try {
      this.#lease ??= await own.get(name, { signal })
      this.#lease = await own.update({ ...this.#lease, spec: { ...this.#lease.spec, ...this.#spec(name) } }, { signal })
    } catch (error) {
      this.#lease = undefined
      if (!isStatusError(error, 'NotFound')) throw error
      const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name, uid }]
      this.#lease = await own.create({ metadata: { name, ownerReferences }, spec: this.#spec(name) }, { signal })
    }
  }

  #spec(holderIdentity: string): Lease['spec'] {
    const renewTime = formatMicroTime(this.#clock.now())
    return { holderIdentity, leaseDurationSeconds: this.#seconds, renewTime }
  }
}
