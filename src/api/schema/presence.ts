/**
 * Protobuf (proto2 as Kubernetes uses it) writes every field that is no pointer in Kubernetes' own types, also when it
 * is zero. JSON leaves such zeros out. So a decoder must know, of each optional scalar, whether a zero was said on
 * purpose. Kubernetes v1.36: integers and booleans listed here are plain values, whose zero means "not set"; all others
 * are pointers, whose zero counts. With strings it is the other way round: the pointers are listed.
 */
const plainNumbersAndBooleans: Readonly<Record<string, string>> = {
  // Any type.
  '*': 'observedGeneration minReadySeconds',
  AWSElasticBlockStoreVolumeSource: 'partition readOnly',
  APIServiceSpec: 'insecureSkipTLSVerify',
  AzureFilePersistentVolumeSource: 'readOnly',
  AzureFileVolumeSource: 'readOnly',
  CSIPersistentVolumeSource: 'readOnly',
  CephFSPersistentVolumeSource: 'readOnly',
  CephFSVolumeSource: 'readOnly',
  CinderPersistentVolumeSource: 'readOnly',
  CinderVolumeSource: 'readOnly',
  Container: 'stdin stdinOnce tty',
  ContainerImage: 'sizeBytes',
  ContainerPort: 'hostPort',
  ContainerStateTerminated: 'signal',
  CustomResourceColumnDefinition: 'priority',
  CustomResourceDefinitionSpec: 'preserveUnknownFields',
  CustomResourceDefinitionVersion: 'deprecated',
  DaemonSetStatus: 'numberAvailable numberUnavailable updatedNumberScheduled',
  DeploymentSpec: 'paused',
  DeploymentStatus: 'availableReplicas readyReplicas replicas unavailableReplicas updatedReplicas',
  DeviceSubRequest: 'count',
  EphemeralContainer: 'stdin stdinOnce tty',
  EphemeralContainerCommon: 'stdin stdinOnce tty',
  Event: 'count deprecatedCount',
  EventSeries: 'count',
  ExactDeviceRequest: 'count',
  FCVolumeSource: 'readOnly',
  FlexPersistentVolumeSource: 'readOnly',
  FlexVolumeSource: 'readOnly',
  GCEPersistentDiskVolumeSource: 'partition readOnly',
  GlusterfsVolumeSource: 'readOnly',
  HorizontalPodAutoscalerStatus: 'currentReplicas',
  ISCSIPersistentVolumeSource: 'chapAuthDiscovery chapAuthSession readOnly',
  ISCSIVolumeSource: 'chapAuthDiscovery chapAuthSession readOnly',
  JSONSchemaProps:
    'exclusiveMaximum exclusiveMinimum nullable uniqueItems x-kubernetes-embedded-resource x-kubernetes-int-or-string',
  JobStatus: 'active failed succeeded',
  NFSVolumeSource: 'readOnly',
  NodeSpec: 'unschedulable',
  ObjectMeta: 'generation',
  PersistentVolumeClaimVolumeSource: 'readOnly',
  PodSpec: 'hostIPC hostNetwork hostPID',
  PortworxVolumeSource: 'readOnly',
  PriorityClass: 'globalDefault',
  Probe: 'failureThreshold initialDelaySeconds periodSeconds successThreshold timeoutSeconds',
  QuobyteVolumeSource: 'readOnly',
  RBDPersistentVolumeSource: 'readOnly',
  RBDVolumeSource: 'readOnly',
  ReplicaSetStatus: 'availableReplicas fullyLabeledReplicas readyReplicas',
  ReplicationControllerStatus: 'availableReplicas fullyLabeledReplicas readyReplicas',
  ResourcePolicyRule: 'clusterScope',
  ScaleIOPersistentVolumeSource: 'readOnly sslEnabled',
  ScaleIOVolumeSource: 'readOnly sslEnabled',
  ScaleSpec: 'replicas',
  ServiceBackendPort: 'number',
  ServicePort: 'nodePort',
  ServiceSpec: 'healthCheckNodePort publishNotReadyAddresses',
  StatefulSetStatus: 'currentReplicas readyReplicas updatedReplicas',
  Status: 'code',
  StatusDetails: 'retryAfterSeconds',
  StorageOSPersistentVolumeSource: 'readOnly',
  StorageOSVolumeSource: 'readOnly',
  SubjectAccessReviewStatus: 'denied',
  TokenReviewStatus: 'authenticated',
  VolumeMount: 'readOnly',
  VolumeMountStatus: 'readOnly',
}

/** Pointer observedGenerations, the exceptions of the `*` row above. */
const pointerExceptions: Readonly<Record<string, string>> = { HorizontalPodAutoscalerStatus: 'observedGeneration' }

const pointerStrings: Readonly<Record<string, string>> = {
  AzureDiskVolumeSource: 'fsType',
  CSIVolumeSource: 'fsType',
  ClusterTrustBundleProjection: 'name signerName',
  DeviceAttribute: 'string version',
  Endpoint: 'deprecatedTopology hostname nodeName zone',
  EndpointAddress: 'nodeName',
  EndpointPort: 'appProtocol name protocol',
  HostPathVolumeSource: 'type',
  IngressClassParametersReference: 'apiGroup namespace scope',
  IngressSpec: 'ingressClassName',
  LeaseSpec: 'holderIdentity preferredHolder strategy',
  PersistentVolumeClaimSpec: 'storageClassName volumeAttributesClassName volumeMode',
  PersistentVolumeClaimStatus: 'currentVolumeAttributesClassName',
  PodResourceClaim: 'resourceClaimName resourceClaimTemplateName',
  PodSpec: 'runtimeClassName preemptionPolicy hostnameOverride',
  SeccompProfile: 'localhostProfile',
  ServicePort: 'appProtocol',
  ServiceReference: 'path',
  ServiceSpec: 'loadBalancerClass internalTrafficPolicy ipFamilyPolicy',
  TypedLocalObjectReference: 'apiGroup',
  TypedObjectReference: 'apiGroup namespace',
  CSIStorageCapacity: 'storageClassName',
  VolumeAttachmentSource: 'persistentVolumeName',
  GRPCAction: 'service',
  WebhookClientConfig: 'url',
}

/** Whether a zero of this optional scalar means that it was not set. `typeName` is the short name of the type. */
export function zeroMeansAbsent(typeName: string, field: string, wire: string): boolean {
  if (wire === 'string') return !has(pointerStrings[typeName], field)
  if (has(pointerExceptions[typeName], field)) return false
  return has(plainNumbersAndBooleans['*'], field) || has(plainNumbersAndBooleans[typeName], field)
}

function has(names: string | undefined, name: string): boolean {
  return names?.split(' ').includes(name) ?? false
}

/** Optional fields that Kubernetes' own types write when they are empty too. */
const writtenEmpty: Readonly<Record<string, string>> = { Role: 'rules', ClusterRole: 'rules' }

/** Required fields that Kubernetes' own types leave out when they are empty. */
const leftOutEmpty: Readonly<Record<string, string>> = {
  CounterSet: 'counters',
  DeviceCounterConsumption: 'counters',
  ValidatingAdmissionPolicyBindingSpec: 'validationActions',
}

/** Whether an empty value of this field still stands in every answer. `typeName` is the short name of the type. */
export function alwaysWritten(typeName: string, field: string, required: boolean): boolean {
  return required ? !has(leftOutEmpty[typeName], field) : has(writtenEmpty[typeName], field)
}
