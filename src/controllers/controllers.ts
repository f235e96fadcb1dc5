import { builtInCatalog, type Catalog } from '#api/schema/catalog.ts'
import type { Controller } from '#reconcile/controller.ts'
import { attachDetachController } from './attach-detach/controller.ts'
import { bootstrapSigner } from './bootstrap-signer/controller.ts'
import { certificateApprovalController } from './certificates/approval.ts'
import { certificateCleanupController } from './certificates/cleanup.ts'
import { kubeletServingApprover } from './certificates/serving-approval.ts'
import type { Sign } from './certificates/signer.ts'
import { podCertificateCleaner } from './certificates/pod-certificate-cleaner.ts'
import { certificateSigningController } from './certificates/signing.ts'
import { trustBundlePublisher } from './certificates/trust-bundle-publisher.ts'
import type { CloudProvider } from './cloud/cloud-provider.ts'
import { routeController } from './cloud/route-controller.ts'
import { serviceController } from './cloud/service-controller.ts'
import { clusterDnsController } from './cluster-dns/controller.ts'
import type { ClusterDnsOptions } from './cluster-dns/decide.ts'
import { clusterRoleAggregationController } from './cluster-role-aggregation/controller.ts'
import { cronJobController } from './cron-job/controller.ts'
import { daemonSetController } from './daemon-set/controller.ts'
import { deploymentController } from './deployment/controller.ts'
import { deviceTaintEvictionController } from './device-taint-eviction/controller.ts'
import { disruptionController } from './disruption/controller.ts'
import { endpointSliceController } from './endpoint-slice/controller.ts'
import { endpointSliceMirroringController } from './endpoint-slice-mirroring/controller.ts'
import { endpointsController } from './endpoints/controller.ts'
import { ephemeralVolumeController } from './ephemeral-volume/controller.ts'
import { flowSchemaStatusController } from './flow-schema-status/controller.ts'
import { garbageCollector } from './garbage-collector/controller.ts'
import { horizontalPodAutoscalerController } from './horizontal-pod-autoscaler/controller.ts'
import { jobController } from './job/controller.ts'
import { legacyTokenCleaner } from './legacy-token-cleaner/controller.ts'
import { namespaceController } from './namespace/controller.ts'
import { nodeIpamController, type NodeIpamOptions } from './node-ipam/controller.ts'
import { nodeLifecycleController } from './node-lifecycle/controller.ts'
import { nodeTtlController } from './node-ttl/controller.ts'
import { protectionControllers } from './object-protection/protections.ts'
import { persistentVolumeBinder } from './persistent-volume-binder/controller.ts'
import { podGcController, type PodGcOptions } from './pod-gc/controller.ts'
import { replicaSetController, replicationController } from './replica-set/controller.ts'
import { resourceClaimController } from './resource-claim/controller.ts'
import { resourceQuotaController } from './resource-quota/controller.ts'
import { rootCaController } from './root-ca/controller.ts'
import { serviceAccountController } from './service-account/controller.ts'
import { serviceAccountTokenController } from './service-account-token/controller.ts'
import type { SignToken } from './service-account-token/decide.ts'
import { serviceCidrController } from './service-cidr/controller.ts'
import { statefulSetController } from './stateful-set/controller.ts'
import { taintEvictionController } from './taint-eviction/controller.ts'
import { tokenCleaner } from './token-cleaner/controller.ts'
import { ttlAfterFinishedController } from './ttl-after-finished/controller.ts'
import { validatingPolicyStatusController } from './validating-policy-status/controller.ts'
import { volumeExpansionController } from './volume-expansion/controller.ts'

/** What a cluster tells its controllers; each is given what it needs of it. */
export interface ControllersOptions extends PodGcOptions {
  /** PEM of the CA that signs the API server's certificate: published in every namespace. */
  readonly rootCa: string
  readonly dns: ClusterDnsOptions
  /** What the API server serves; default: the usual. */
  readonly catalog?: Catalog
  /** Issues certificates for approved requests, see `createSigner`; absent: an outside signer does. */
  readonly sign?: Sign
  /** Signs the tokens of secrets that are made for service accounts; absent: such secrets stay empty. */
  readonly signToken?: SignToken
  /** The cloud that gives load balancers and routes; absent: there is none. */
  readonly cloud?: CloudProvider
  /** Where nodes get their pod addresses from; absent: they get none from here. */
  readonly nodeIpam?: NodeIpamOptions
}

/** All controllers of a cluster whose APIs are served, made anew for each: some keep memory of their own. */
export function createControllers(options: ControllersOptions): readonly Controller[] {
  const { catalog = builtInCatalog() } = options
  return allControllers(options, catalog).filter(({ watches }) =>
    watches.every(({ resource: { group, version, plural } }) => catalog.find(group, version, plural) !== undefined),
  )
}

function allControllers(options: ControllersOptions, catalog: Catalog): readonly Controller[] {
  return [
    serviceAccountController,
    rootCaController(options),
    deploymentController,
    replicaSetController,
    replicationController,
    daemonSetController(),
    jobController(),
    cronJobController,
    statefulSetController,
    endpointSliceController,
    endpointsController,
    endpointSliceMirroringController,
    namespaceController(catalog),
    garbageCollector(catalog),
    clusterDnsController(options.dns),
    nodeLifecycleController(),
    taintEvictionController(),
    podGcController(options),
    clusterRoleAggregationController,
    resourceQuotaController(catalog),
    disruptionController,
    ttlAfterFinishedController,
    validatingPolicyStatusController,
    horizontalPodAutoscalerController(),
    resourceClaimController,
    deviceTaintEvictionController,
    nodeTtlController(),
    ...protectionControllers,
    persistentVolumeBinder,
    ephemeralVolumeController,
    attachDetachController(),
    volumeExpansionController,
    serviceCidrController,
    flowSchemaStatusController,
    bootstrapSigner,
    certificateApprovalController,
    kubeletServingApprover,
    certificateCleanupController,
    podCertificateCleaner,
    trustBundlePublisher(options),
    tokenCleaner,
    legacyTokenCleaner,
    ...(options.sign === undefined ? [] : [certificateSigningController(options.sign)]),
    ...(options.signToken === undefined
      ? []
      : [serviceAccountTokenController({ rootCa: options.rootCa, signToken: options.signToken })]),
    ...(options.cloud?.loadBalancers === undefined ? [] : [serviceController(options.cloud.loadBalancers)]),
    ...(options.cloud?.routes === undefined ? [] : [routeController(options.cloud.routes)]),
    ...(options.nodeIpam === undefined ? [] : [nodeIpamController(options.nodeIpam)]),
  ]
}
