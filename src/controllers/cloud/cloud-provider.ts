import type { LoadBalancerStatus, Node, Service } from '#api/types/core.v1.ts'

/** What a cluster asks of the cloud it runs in. Each part may be missing; without one its controller does not run. */
export interface CloudProvider {
  readonly loadBalancers?: LoadBalancers
  readonly routes?: Routes
}

/** Load balancers outside the cluster, one for each Service that asks for it. All calls may be repeated. */
export interface LoadBalancers {
  /** Makes the balancer, or brings it up to date, and answers under which addresses it is reached. */
  ensure(service: Service, nodes: readonly Node[]): Promise<LoadBalancerStatus>
  /** The nodes behind an existing balancer have changed. */
  updateNodes(service: Service, nodes: readonly Node[]): Promise<void>
  /** Resolves when the balancer is gone; none is no error. */
  remove(service: Service): Promise<void>
}

/** How packets for a node's pods find the node. */
export interface Route {
  readonly nodeName: string
  readonly cidr: string
}

/** The routing table of the network that the nodes are in, as far as it is this cluster's. */
export interface Routes {
  list(): Promise<readonly Route[]>
  create(route: Route): Promise<void>
  remove(route: Route): Promise<void>
}
