import { internalForm } from '../../meta/internal-form.ts'
import type { InternalTypes } from '../../meta/internal-form.ts'
import type { PodSpec } from '../../types/core.v1.ts'

const volumeTypes: InternalTypes = {
  Volume:
    'Name HostPath*:HostPath EmptyDir*:EmptyDir GCEPersistentDisk*:GcePersistentDisk AWSElasticBlockStore*:AwsElasticBlockStore GitRepo*:GitRepo Secret*:SecretVolume NFS*:Nfs ISCSI*:Iscsi Glusterfs*:Glusterfs PersistentVolumeClaim*:ClaimVolume RBD*:Rbd Quobyte*:Quobyte FlexVolume*:FlexVolume Cinder*:Cinder CephFS*=cephfs:CephFs Flocker*:Flocker DownwardAPI*:DownwardVolume FC*:Fc AzureFile*:AzureFile ConfigMap*:ConfigMapVolume VsphereVolume*:VsphereVolume AzureDisk*:AzureDisk PhotonPersistentDisk*:PhotonPersistentDisk Projected*:Projected PortworxVolume*:PortworxVolume ScaleIO*:ScaleIo StorageOS*=storageos:StorageOs CSI*:CsiVolume Ephemeral*:Ephemeral Image*:ImageVolume',
  HostPath: 'Path Type*',
  EmptyDir: 'Medium SizeLimit*',
  GcePersistentDisk: 'PDName FSType Partition# ReadOnly?',
  AwsElasticBlockStore: 'VolumeID FSType Partition# ReadOnly?',
  GitRepo: 'Repository Revision Directory',
  SecretVolume: 'SecretName Items*:KeyToPath DefaultMode* Optional*',
  Nfs: 'Server Path ReadOnly?',
  Iscsi:
    'TargetPortal IQN Lun# ISCSIInterface=iscsiInterface FSType ReadOnly? Portals* DiscoveryCHAPAuth?=chapAuthDiscovery SessionCHAPAuth?=chapAuthSession SecretRef*:Name InitiatorName*',
  Glusterfs: 'EndpointsName=endpoints Path ReadOnly?',
  ClaimVolume: 'ClaimName ReadOnly?',
  Rbd: 'CephMonitors*=monitors RBDImage=image FSType RBDPool=pool RadosUser=user Keyring SecretRef*:Name ReadOnly?',
  Quobyte: 'Registry Volume ReadOnly? User Group Tenant',
  FlexVolume: 'Driver FSType SecretRef*:Name ReadOnly? Options*',
  Cinder: 'VolumeID FSType ReadOnly? SecretRef*:Name',
  CephFs: 'Monitors* Path User SecretFile SecretRef*:Name ReadOnly?',
  Flocker: 'DatasetName DatasetUUID',
  DownwardVolume: 'Items*:DownwardFile DefaultMode*',
  Fc: 'TargetWWNs* Lun* FSType ReadOnly? WWIDs*=wwids',
  AzureFile: 'SecretName ShareName ReadOnly?',
  ConfigMapVolume: 'Name Items*:KeyToPath DefaultMode* Optional*',
  VsphereVolume: 'VolumePath FSType StoragePolicyName StoragePolicyID',
  AzureDisk: 'DiskName DataDiskURI=diskURI CachingMode* FSType* ReadOnly* Kind*',
  PhotonPersistentDisk: 'PdID FSType',
  Projected: 'Sources*:Projection DefaultMode*',
  PortworxVolume: 'VolumeID FSType ReadOnly?',
  ScaleIo:
    'Gateway System SecretRef*:Name SSLEnabled? ProtectionDomain StoragePool StorageMode VolumeName FSType ReadOnly?',
  StorageOs: 'VolumeName VolumeNamespace FSType ReadOnly? SecretRef*:Name',
  CsiVolume: 'Driver ReadOnly* FSType* VolumeAttributes* NodePublishSecretRef*:Name',
  Ephemeral: 'VolumeClaimTemplate*',
  ImageVolume: 'Reference PullPolicy',
  Projection:
    'Secret*:MapProjection DownwardAPI*:DownwardProjection ConfigMap*:MapProjection ServiceAccountToken*:TokenProjection ClusterTrustBundle*:TrustProjection PodCertificate*:CertificateProjection',
  MapProjection: 'Name Items*:KeyToPath Optional*',
  DownwardProjection: 'Items*:DownwardFile',
  TokenProjection: 'Audience ExpirationSeconds# Path',
  TrustProjection: 'Name* SignerName* LabelSelector* Optional* Path',
  CertificateProjection:
    'SignerName KeyType MaxExpirationSeconds* CredentialBundlePath KeyPath CertificateChainPath UserAnnotations*',
  KeyToPath: 'Key Path Mode*',
  DownwardFile: 'Path FieldRef*:FieldRef ResourceFieldRef*:ResourceFieldRef Mode*',
  FieldRef: 'APIVersion FieldPath',
  ResourceFieldRef: 'ContainerName Resource Divisor',
  Name: 'Name',
}

const containerTypes: InternalTypes = {
  Container:
    'Name Image Command* Args* WorkingDir Ports*:ContainerPort EnvFrom*:EnvFrom Env*:EnvVar Resources:Requirements ResizePolicy*:ResizePolicy RestartPolicy* RestartPolicyRules*:RestartRule VolumeMounts*:VolumeMount VolumeDevices*:VolumeDevice LivenessProbe*:Probe ReadinessProbe*:Probe StartupProbe*:Probe Lifecycle*:Lifecycle TerminationMessagePath TerminationMessagePolicy ImagePullPolicy SecurityContext*:SecurityContext Stdin? StdinOnce? TTY?',
  EphemeralContainer: '...Container TargetContainerName',
  ContainerPort: 'Name HostPort# ContainerPort# Protocol HostIP',
  EnvFrom: 'Prefix ConfigMapRef*:OptionalName SecretRef*:OptionalName',
  OptionalName: 'Name Optional*',
  EnvVar: 'Name Value ValueFrom*:EnvVarSource',
  EnvVarSource:
    'FieldRef*:FieldRef ResourceFieldRef*:ResourceFieldRef ConfigMapKeyRef*:KeyRef SecretKeyRef*:KeyRef FileKeyRef*:FileKeyRef',
  KeyRef: 'Name Key Optional*',
  FileKeyRef: 'VolumeName Path Key Optional*',
  Requirements: 'Limits* Requests* Claims*:ClaimRef',
  ClaimRef: 'Name Request',
  ResizePolicy: 'ResourceName RestartPolicy',
  RestartRule: 'Action ExitCodes*:ExitCodes',
  ExitCodes: 'Operator Values*',
  VolumeMount: 'Name ReadOnly? RecursiveReadOnly* MountPath SubPath MountPropagation* SubPathExpr',
  VolumeDevice: 'Name DevicePath',
  Probe:
    'Exec*:Exec HTTPGet*:HttpGet TCPSocket*:TcpSocket GRPC*:Grpc InitialDelaySeconds# TimeoutSeconds# PeriodSeconds# SuccessThreshold# FailureThreshold# TerminationGracePeriodSeconds*',
  Lifecycle: 'PostStart*:Handler PreStop*:Handler StopSignal*',
  Handler: 'Exec*:Exec HTTPGet*:HttpGet TCPSocket*:TcpSocket Sleep*:Sleep',
  Exec: 'Command*',
  HttpGet: 'Path Port# Host Scheme HTTPHeaders*:HttpHeader',
  HttpHeader: 'Name Value',
  TcpSocket: 'Port# Host',
  Grpc: 'Port# Service*',
  Sleep: 'Seconds#',
  SecurityContext:
    'Capabilities*:Capabilities Privileged* SELinuxOptions*:SeLinuxOptions WindowsOptions*:WindowsOptions RunAsUser* RunAsGroup* RunAsNonRoot* ReadOnlyRootFilesystem* AllowPrivilegeEscalation* ProcMount* SeccompProfile*:Profile AppArmorProfile*:Profile',
  Capabilities: 'Add* Drop*',
  SeLinuxOptions: 'User Role Type Level',
  WindowsOptions: 'GMSACredentialSpecName* GMSACredentialSpec* RunAsUserName* HostProcess*',
  Profile: 'Type LocalhostProfile*',
}

const podTypes: InternalTypes = {
  PodSpec:
    'Volumes*:Volume InitContainers*:Container Containers*:Container EphemeralContainers*:EphemeralContainer RestartPolicy TerminationGracePeriodSeconds* ActiveDeadlineSeconds* DNSPolicy NodeSelector* ServiceAccountName AutomountServiceAccountToken* NodeName SecurityContext*:PodSecurityContext ImagePullSecrets*:Name Hostname Subdomain SetHostnameAsFQDN* Affinity*:Affinity SchedulerName Tolerations*:Toleration HostAliases*:HostAlias PriorityClassName Priority* PreemptionPolicy* DNSConfig*:DnsConfig ReadinessGates*:ReadinessGate RuntimeClassName* Overhead* EnableServiceLinks* TopologySpreadConstraints*:Spread OS*:Name SchedulingGates*:Name ResourceClaims*:PodResourceClaim Resources*:Requirements HostnameOverride* SchedulingGroup*:SchedulingGroup',
  PodSecurityContext:
    'HostNetwork? HostPID? HostIPC? ShareProcessNamespace* HostUsers* SELinuxOptions*:SeLinuxOptions WindowsOptions*:WindowsOptions RunAsUser* RunAsGroup* RunAsNonRoot* SupplementalGroups* SupplementalGroupsPolicy* FSGroup* FSGroupChangePolicy* Sysctls*:HttpHeader SeccompProfile*:Profile AppArmorProfile*:Profile SELinuxChangePolicy*',
  Affinity: 'NodeAffinity*:NodeAffinity PodAffinity*:PodAffinity PodAntiAffinity*:PodAffinity',
  NodeAffinity:
    'RequiredDuringSchedulingIgnoredDuringExecution*:NodeSelector PreferredDuringSchedulingIgnoredDuringExecution*:PreferredNode',
  NodeSelector: 'NodeSelectorTerms*:NodeSelectorTerm',
  NodeSelectorTerm: 'MatchExpressions*:NodeRequirement MatchFields*:NodeRequirement',
  NodeRequirement: 'Key Operator Values*',
  PreferredNode: 'Weight# Preference:NodeSelectorTerm',
  PodAffinity:
    'RequiredDuringSchedulingIgnoredDuringExecution*:PodTerm PreferredDuringSchedulingIgnoredDuringExecution*:WeightedPodTerm',
  WeightedPodTerm: 'Weight# PodAffinityTerm:PodTerm',
  PodTerm: 'LabelSelector* Namespaces* TopologyKey NamespaceSelector* MatchLabelKeys* MismatchLabelKeys*',
  Toleration: 'Key Operator Value Effect TolerationSeconds*',
  HostAlias: 'IP Hostnames*',
  DnsConfig: 'Nameservers* Searches* Options*:DnsOption',
  DnsOption: 'Name Value*',
  ReadinessGate: 'ConditionType',
  Spread:
    'MaxSkew# TopologyKey WhenUnsatisfiable LabelSelector* MinDomains* NodeAffinityPolicy* NodeTaintsPolicy* MatchLabelKeys*',
  PodResourceClaim: 'Name ResourceClaimName* ResourceClaimTemplateName*',
  SchedulingGroup: 'PodGroupName*',
}

const storageTypes: InternalTypes = {
  ClaimSpec:
    'AccessModes* Selector* Resources:VolumeRequirements VolumeName StorageClassName* VolumeMode* DataSource*:TypedReference DataSourceRef*:TypedObjectReference VolumeAttributesClassName*',
  VolumeRequirements: 'Limits* Requests*',
  TypedReference: 'APIGroup* Kind Name',
  TypedObjectReference: 'APIGroup* Kind Name Namespace*',
  VolumeNodeAffinity: 'Required*:NodeSelector',
  SecretReference: 'Name Namespace',
  PersistentVolumeSource:
    'GCEPersistentDisk*:GcePersistentDisk AWSElasticBlockStore*:AwsElasticBlockStore HostPath*:HostPath Glusterfs*:GlusterfsPersistent NFS*:Nfs RBD*:RbdPersistent Quobyte*:Quobyte ISCSI*:IscsiPersistent FlexVolume*:FlexPersistent Cinder*:CinderPersistent CephFS*=cephfs:CephFsPersistent FC*:Fc Flocker*:Flocker AzureFile*:AzureFilePersistent VsphereVolume*:VsphereVolume AzureDisk*:AzureDisk PhotonPersistentDisk*:PhotonPersistentDisk PortworxVolume*:PortworxVolume ScaleIO*:ScaleIoPersistent Local*:Local StorageOS*=storageos:StorageOsPersistent CSI*:CsiPersistent',
  GlusterfsPersistent: 'EndpointsName=endpoints Path ReadOnly? EndpointsNamespace*',
  RbdPersistent:
    'CephMonitors*=monitors RBDImage=image FSType RBDPool=pool RadosUser=user Keyring SecretRef*:SecretReference ReadOnly?',
  IscsiPersistent:
    'TargetPortal IQN Lun# ISCSIInterface=iscsiInterface FSType ReadOnly? Portals* DiscoveryCHAPAuth?=chapAuthDiscovery SessionCHAPAuth?=chapAuthSession SecretRef*:SecretReference InitiatorName*',
  FlexPersistent: 'Driver FSType SecretRef*:SecretReference ReadOnly? Options*',
  CinderPersistent: 'VolumeID FSType ReadOnly? SecretRef*:SecretReference',
  CephFsPersistent: 'Monitors* Path User SecretFile SecretRef*:SecretReference ReadOnly?',
  AzureFilePersistent: 'SecretName ShareName ReadOnly? SecretNamespace*',
  ScaleIoPersistent:
    'Gateway System SecretRef*:SecretReference SSLEnabled? ProtectionDomain StoragePool StorageMode VolumeName FSType ReadOnly?',
  Local: 'Path FSType*',
  StorageOsPersistent: 'VolumeName VolumeNamespace FSType ReadOnly? SecretRef*:ObjectReference',
  ObjectReference: 'Kind Namespace Name UID APIVersion ResourceVersion FieldPath',
  CsiPersistent:
    'Driver VolumeHandle ReadOnly? FSType VolumeAttributes* ControllerPublishSecretRef*:SecretReference NodeStageSecretRef*:SecretReference NodePublishSecretRef*:SecretReference ControllerExpandSecretRef*:SecretReference NodeExpandSecretRef*:SecretReference',
}

/** How messages show the types of the core group. */
export const coreForm = internalForm({ ...volumeTypes, ...containerTypes, ...podTypes, ...storageTypes })

/** A pod's spec as messages show it: what it shares with the node stands in its security context. */
export function podSpecText(spec: PodSpec): string {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers, securityContext } = spec
  const shared = { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers }
  const given = Object.entries(shared).filter(([, value]) => value !== undefined)
  const context = { ...securityContext, ...Object.fromEntries(given) }
  return coreForm.text('PodSpec', { ...spec, securityContext: context })
}
