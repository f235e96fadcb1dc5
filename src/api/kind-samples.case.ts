import { generateKeyPairSync } from 'node:crypto'
import { testAuthority } from '#lib/x509/authority.case.ts'
import { signingRequestDer } from '#lib/x509/create-signing-request.ts'

const sampleKey = generateKeyPairSync('ed25519').privateKey
const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } }
const selector = { matchLabels: { a: 'b' } }
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }
const match = { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }] }

/** The least that each kind needs to be valid, where that is more than a name; `metadata` only where the name matters. */
export const samples: Readonly<Record<string, object>> = {
  APIService: {
    metadata: { name: 'v1.g' },
    spec: { group: 'g', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 },
  },
  CSIDriver: { spec: {} },
  CSINode: { spec: { drivers: [] } },
  CSIStorageCapacity: { storageClassName: 's' },
  CertificateSigningRequest: {
    spec: {
      request: Buffer.from('-----BEGIN CERTIFICATE REQUEST-----').toString('base64'),
      signerName: 'example.com/s',
      usages: ['any'],
    },
  },
  ClusterRoleBinding: { roleRef: { kind: 'ClusterRole', name: 'r' } },
  ClusterTrustBundle: { spec: { trustBundle: testAuthority('sample', Date.UTC(2024)).certificate } },
  PodCertificateRequest: {
    spec: {
      signerName: 'example.com/s',
      ...{ podName: 'p', podUID: 'u', serviceAccountName: 'a', serviceAccountUID: 'v', nodeName: 'n', nodeUID: 'w' },
      stubPKCS10Request: signingRequestDer({ subject: { commonName: '' } }, sampleKey).toString('base64'),
    },
  },
  ControllerRevision: { revision: 1, data: {} },
  CronJob: {
    spec: {
      schedule: '*/5 * * * *',
      jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
    },
  },
  CustomResourceDefinition: {
    metadata: { name: 'ws.e.com' },
    spec: {
      group: 'e.com',
      scope: 'Namespaced',
      names: { plural: 'ws', kind: 'W' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  },
  DaemonSet: { spec: { selector, template } },
  Deployment: { spec: { selector, template } },
  DeviceClass: { spec: {} },
  EndpointSlice: { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }] },
  Event: {
    involvedObject: { namespace: 'ns' },
    regarding: { namespace: 'ns' },
    eventTime: '2024-01-01T00:00:00.000000Z',
    reportingController: 'c',
    reportingComponent: 'c',
    reportingInstance: 'i',
    action: 'A',
    reason: 'R',
    type: 'Normal',
  },
  FlowSchema: { spec: { priorityLevelConfiguration: { name: 'p' } } },
  HorizontalPodAutoscaler: { spec: { maxReplicas: 2, scaleTargetRef } },
  IPAddress: {
    metadata: { name: '10.0.0.1' },
    spec: { parentRef: { resource: 'services', name: 's', namespace: 'd' } },
  },
  Ingress: { spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } } },
  IngressClass: { spec: { controller: 'example.com/c' } },
  Job: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
  MutatingAdmissionPolicy: {
    spec: {
      matchConstraints: match,
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'JSONPatch', jsonPatch: {} }],
    },
  },
  MutatingAdmissionPolicyBinding: { spec: { policyName: 'p' } },
  NetworkPolicy: { spec: { podSelector: {} } },
  Node: { spec: {} },
  PersistentVolume: {
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } },
  },
  PersistentVolumeClaim: {
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  },
  Pod: { spec: template.spec },
  PodTemplate: { template },
  PodDisruptionBudget: { spec: { minAvailable: 1 } },
  PriorityLevelConfiguration: { spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } } },
  ReplicaSet: { spec: { selector, template } },
  ReplicationController: { spec: { template } },
  ResourceClaim: { spec: {} },
  ResourceClaimTemplate: { spec: { spec: {} } },
  ResourceSlice: { spec: { driver: 'd.e', pool: { name: 'p', generation: 1, resourceSliceCount: 1 }, nodeName: 'n' } },
  RoleBinding: { roleRef: { kind: 'Role', name: 'r' } },
  RuntimeClass: { handler: 'h' },
  Service: { spec: { ports: [{ port: 80 }] } },
  ServiceCIDR: { spec: { cidrs: ['10.0.0.0/24'] } },
  StatefulSet: { spec: { selector, template } },
  StorageClass: { provisioner: 'example.com/p' },
  ValidatingAdmissionPolicy: { spec: { matchConstraints: match, validations: [{ expression: 'true' }] } },
  ValidatingAdmissionPolicyBinding: { spec: { policyName: 'p', validationActions: ['Deny'] } },
  VolumeAttachment: { spec: { attacher: 'a', nodeName: 'n', source: { persistentVolumeName: 'p' } } },
  VolumeAttributesClass: { driverName: 'd', parameters: { a: 'b' } },
}
