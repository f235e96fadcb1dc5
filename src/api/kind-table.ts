import {
  mutatingAdmissionPolicyBinding,
  validatingAdmissionPolicyBinding,
} from './admissionregistration/v1/admission-policy-binding.ts'
import { mutatingAdmissionPolicy, validatingAdmissionPolicy } from './admissionregistration/v1/admission-policy.ts'
import {
  mutatingWebhookConfiguration,
  validatingWebhookConfiguration,
} from './admissionregistration/v1/webhook-configuration.ts'
import { customResourceDefinition } from './apiextensions/v1/custom-resource-definition.ts'
import { apiService } from './apiregistration/v1/api-service.ts'
import { controllerRevision } from './apps/v1/controller-revision.ts'
import { daemonSet } from './apps/v1/daemon-set.ts'
import { deployment } from './apps/v1/deployment.ts'
import { replicaSet } from './apps/v1/replica-set.ts'
import { statefulSet } from './apps/v1/stateful-set.ts'
import { horizontalPodAutoscalerV1 } from './autoscaling/v1/horizontal-pod-autoscaler.ts'
import { horizontalPodAutoscaler } from './autoscaling/v2/horizontal-pod-autoscaler.ts'
import { cronJob } from './batch/v1/cron-job.ts'
import { job } from './batch/v1/job.ts'
import { certificateSigningRequest } from './certificates/v1/certificate-signing-request.ts'
import { clusterTrustBundle } from './certificates/v1beta1/cluster-trust-bundle.ts'
import { podCertificateRequest } from './certificates/v1beta1/pod-certificate-request.ts'
import { lease } from './coordination/v1/lease.ts'
import { componentStatus } from './core/v1/component-status.ts'
import { configMap } from './core/v1/config-map.ts'
import { endpoints } from './core/v1/endpoints.ts'
import { event } from './core/v1/event.ts'
import { limitRange } from './core/v1/limit-range.ts'
import { namespace } from './core/v1/namespace.ts'
import { node } from './core/v1/node.ts'
import { persistentVolumeClaim } from './core/v1/persistent-volume-claim.ts'
import { persistentVolume } from './core/v1/persistent-volume.ts'
import { podTemplate } from './core/v1/pod-template.ts'
import { pod } from './core/v1/pod/pod.ts'
import { replicationController } from './core/v1/replication-controller.ts'
import { resourceQuota } from './core/v1/resource-quota.ts'
import { secret } from './core/v1/secret.ts'
import { serviceAccount } from './core/v1/service-account.ts'
import { service } from './core/v1/service.ts'
import { endpointSlice } from './discovery/v1/endpoint-slice.ts'
import { eventOfEventsGroup } from './events/v1/event.ts'
import { flowSchema } from './flowcontrol/v1/flow-schema.ts'
import { priorityLevelConfiguration } from './flowcontrol/v1/priority-level-configuration.ts'
import type { Kind } from './kind.ts'
import { ingressClass } from './networking/v1/ingress-class.ts'
import { ingress } from './networking/v1/ingress.ts'
import { ipAddress } from './networking/v1/ip-address.ts'
import { networkPolicy } from './networking/v1/network-policy.ts'
import { serviceCidr } from './networking/v1/service-cidr.ts'
import { runtimeClass } from './node/v1/runtime-class.ts'
import { podDisruptionBudget } from './policy/v1/pod-disruption-budget.ts'
import { clusterRoleBinding, roleBinding } from './rbac/v1/role-binding.ts'
import { clusterRole, role } from './rbac/v1/role.ts'
import { deviceClass } from './resource/v1/device-class.ts'
import { resourceClaim, resourceClaimTemplate } from './resource/v1/resource-claim.ts'
import { resourceSlice } from './resource/v1/resource-slice.ts'
import { priorityClass } from './scheduling/v1/priority-class.ts'
import { csiDriver } from './storage/v1/csi-driver.ts'
import { csiNode } from './storage/v1/csi-node.ts'
import { csiStorageCapacity } from './storage/v1/csi-storage-capacity.ts'
import { storageClass } from './storage/v1/storage-class.ts'
import { volumeAttachment } from './storage/v1/volume-attachment.ts'
import { volumeAttributesClass } from './storage/v1/volume-attributes-class.ts'

/** Every built-in kind that adds something to its schema facts. Each value is pure; order has no meaning. */
export const kinds: readonly Kind[] = [
  componentStatus,
  configMap,
  endpoints,
  event,
  limitRange,
  namespace,
  node,
  persistentVolume,
  persistentVolumeClaim,
  pod,
  podTemplate,
  replicationController,
  resourceQuota,
  secret,
  service,
  serviceAccount,
  controllerRevision,
  daemonSet,
  deployment,
  replicaSet,
  statefulSet,
  cronJob,
  job,
  horizontalPodAutoscaler,
  horizontalPodAutoscalerV1,
  podDisruptionBudget,
  ingress,
  ingressClass,
  ipAddress,
  networkPolicy,
  serviceCidr,
  endpointSlice,
  clusterRole,
  clusterRoleBinding,
  role,
  roleBinding,
  csiDriver,
  csiNode,
  csiStorageCapacity,
  storageClass,
  volumeAttachment,
  volumeAttributesClass,
  mutatingAdmissionPolicy,
  mutatingAdmissionPolicyBinding,
  mutatingWebhookConfiguration,
  validatingAdmissionPolicy,
  validatingAdmissionPolicyBinding,
  validatingWebhookConfiguration,
  customResourceDefinition,
  apiService,
  certificateSigningRequest,
  clusterTrustBundle,
  podCertificateRequest,
  lease,
  eventOfEventsGroup,
  flowSchema,
  priorityLevelConfiguration,
  runtimeClass,
  priorityClass,
  deviceClass,
  resourceClaim,
  resourceClaimTemplate,
  resourceSlice,
]
