import type { Controller } from '#reconcile/controller.ts'
import { clusterDnsController } from './cluster-dns/controller.ts'
import type { ClusterDnsOptions } from './cluster-dns/decide.ts'
import { deploymentController } from './deployment/controller.ts'
import { endpointSliceController } from './endpoint-slice/controller.ts'
import { endpointsController } from './endpoints/controller.ts'
import { garbageCollector } from './garbage-collector/controller.ts'
import { namespaceController } from './namespace/controller.ts'
import { replicaSetController, replicationController } from './replica-set/controller.ts'
import { rootCaController } from './root-ca/controller.ts'
import { serviceAccountController } from './service-account/controller.ts'

/** What a cluster tells its controllers; each is given what it needs of it. */
export interface ControllersOptions {
  /** PEM of the CA that signs the API server's certificate: published in every namespace. */
  readonly rootCa: string
  readonly dns: ClusterDnsOptions
}

/** All controllers of a cluster, made anew for each: some keep memory of their own. */
export function createControllers(options: ControllersOptions): readonly Controller[] {
  return [
    serviceAccountController,
    rootCaController(options),
    deploymentController,
    replicaSetController,
    replicationController,
    endpointSliceController,
    endpointsController,
    namespaceController,
    garbageCollector(),
    clusterDnsController(options.dns),
  ]
}
