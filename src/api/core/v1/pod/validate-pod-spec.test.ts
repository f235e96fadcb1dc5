import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate } from '../../../kind-trial.case.ts'
import { short } from '../../../short-messages.case.ts'
import { pod } from './pod.ts'

const namesAndAddressesCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        dnsPolicy: 'X',
        dnsConfig: {
          nameservers: ['a', '1.1.1.1', '1.1.1.2', '1.1.1.3'],
          searches: ['Bad_'],
          options: [{ value: 'a' }],
        },
      },
    },
    [
      'spec.dnsPolicy: Unsupported value: "X": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
      'spec.dnsConfig.nameservers: Invalid value: ["a","1.1.1.1","1.1.1.2","1.1.1.3"]: must not have more than 3 nameservers',
      'spec.dnsConfig.nameservers[0]: Invalid value: "a": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'spec.dnsConfig.searches[0]: Invalid value: "Bad_": (lowercase RFC 1123 subdomain)',
      'spec.dnsConfig.options[0]: Required value: must not be empty',
    ],
  ],
  [
    { spec: { containers: [{ name: 'c', image: 'x:1' }], hostAliases: [{ ip: '999', hostnames: ['A_'] }] } },
    [
      'spec.hostAliases[0].ip: Invalid value: "999": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      'spec.hostAliases[0].hostnames[0]: Invalid value: "A_": (lowercase RFC 1123 subdomain)',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        hostname: 'A_',
        subdomain: 'A_',
        hostnameOverride: 'A_',
        setHostnameAsFQDN: true,
      },
    },
    [
      'spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true',
      'spec.hostnameOverride: Invalid value: "A_": (lowercase RFC 1123 subdomain)',
      'spec.hostname: Invalid value: "A_": (lowercase RFC 1123 label)',
      'spec.subdomain: Invalid value: "A_": (lowercase RFC 1123 label)',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        serviceAccountName: 'A_',
        nodeName: 'A_',
        priorityClassName: 'A_',
        runtimeClassName: 'A_',
      },
    },
    [
      'spec.serviceAccountName: Invalid value: "A_": (lowercase RFC 1123 subdomain)',
      'spec.nodeName: Invalid value: "A_": (lowercase RFC 1123 subdomain)',
      'spec.priorityClassName: Invalid value: "A_": (lowercase RFC 1123 subdomain)',
      'spec.runtimeClassName: Invalid value: "A_": (lowercase RFC 1123 subdomain)',
    ],
  ],
]

test('names and addresses', () => {
  for (const [manifest, expected] of namesAndAddressesCases)
    assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})

const affinityCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } },
      },
    },
    [
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              {
                weight: 0,
                preference: {
                  matchExpressions: [
                    { key: 'a', operator: 'Bad' },
                    { key: 'b', operator: 'In' },
                    { key: 'd', operator: 'Exists', values: ['x'] },
                  ],
                  matchFields: [{ key: 'metadata.bad', operator: 'In', values: ['a', 'b'] }],
                },
              },
            ],
          },
        },
      },
    },
    [
      'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100',
      'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].operator: Invalid value: "Bad": not a valid selector operator',
      "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[1].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[2].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchFields[0].values: Required value: must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
      'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchFields[0].key: Invalid value: "metadata.bad": not a valid field selector key',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'z', matchLabelKeys: ['a'], mismatchLabelKeys: ['a'] },
            ],
          },
        },
      },
    },
    [
      'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set',
      'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].mismatchLabelKeys: Forbidden: must not be specified when labelSelector is not set',
      'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys[0]: Invalid value: "a": exists in both matchLabelKeys and mismatchLabelKeys',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        affinity: {
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 101, podAffinityTerm: { topologyKey: 'a b', namespaces: ['X'] } },
            ],
          },
        },
      },
    },
    [
      'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100',
      'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.namespace: Invalid value: "X": (lowercase RFC 1123 label)',
      'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Invalid value: "a b": (qualified name)',
    ],
  ],
]

test('affinity', () => {
  for (const [manifest, expected] of affinityCases) assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})

const tolerationsAndSpreadingCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        tolerations: [
          { key: '', operator: 'Equal', value: 'x' },
          { key: 'a b', operator: 'Exists', value: 'x' },
          { key: 'k', value: 'bad value' },
          { key: 'k', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 3 },
        ],
      },
    },
    [
      'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      'spec.tolerations[1].key: Invalid value: "a b": (qualified name)',
      'spec.tolerations[1].operator: Invalid value: "x": value must be empty when `operator` is \'Exists\'',
      'spec.tolerations[2].operator: Invalid value: "bad value": (valid label)',
      'spec.tolerations[3].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` is set',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: '',
            whenUnsatisfiable: 'X',
            minDomains: 0,
            nodeAffinityPolicy: 'X',
            nodeTaintsPolicy: 'Y',
            matchLabelKeys: ['a'],
          },
        ],
      },
    },
    [
      'spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty',
      'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "X": supported values: "DoNotSchedule", "ScheduleAnyway"',
      'spec.topologySpreadConstraints[0].minDomains: Invalid value: 0: must be greater than zero',
      'spec.topologySpreadConstraints[0].minDomains: Invalid value: 0: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not X',
      'spec.topologySpreadConstraints[0].nodeAffinityPolicy: Unsupported value: "X": supported values: "Honor", "Ignore"',
      'spec.topologySpreadConstraints[0].nodeTaintsPolicy: Unsupported value: "Y": supported values: "Honor", "Ignore"',
      'spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'ScheduleAnyway', minDomains: 3 },
          { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'ScheduleAnyway' },
        ],
      },
    },
    [
      'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{z, ScheduleAnyway}"',
      'spec.topologySpreadConstraints[0].minDomains: Invalid value: 3: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway',
    ],
  ],
]

test('tolerations and spreading', () => {
  for (const [manifest, expected] of tolerationsAndSpreadingCases)
    assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})

const gatesOverheadAndPrioritiesCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        readinessGates: [{ conditionType: 'a b' }],
        preemptionPolicy: 'X',
      },
    },
    [
      'spec.readinessGates[0].conditionType: Invalid value: "a b": (qualified name)',
      'spec.preemptionPolicy: Unsupported value: "X": supported values: "PreemptLowerPriority", "Never"',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        schedulingGates: [{ name: 'a' }, { name: 'a' }],
        nodeName: 'n',
      },
    },
    [
      'spec.schedulingGates[1]: Duplicate value: "a"',
      'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
    ],
  ],
  [
    { spec: { containers: [{ name: 'c', image: 'x:1' }], overhead: { foo: '1', cpu: '-1' } } },
    [
      'spec.overhead.limits[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
      'spec.overhead.limits[foo]: Invalid value: "foo": must be a standard resource for containers',
      'spec.overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
    ],
  ],
]

test('gates, overhead and priorities', () => {
  for (const [manifest, expected] of gatesOverheadAndPrioritiesCases)
    assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})

const aPodSharesWithItsNodeCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        hostUsers: false,
        hostNetwork: true,
        hostPID: true,
        hostIPC: true,
        shareProcessNamespace: true,
        hostnameOverride: 'a',
      },
    },
    [
      'spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled',
      'spec.hostNetwork: Forbidden: when `hostUsers` is false',
      'spec.HostPID: Forbidden: when `hostUsers` is false',
      'spec.HostIPC: Forbidden: when `hostUsers` is false',
      'spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true',
    ],
  ],
]

test('what a pod shares with its node', () => {
  for (const [manifest, expected] of aPodSharesWithItsNodeCases)
    assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})

const claimsAndResourcesOfThePodCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        resourceClaims: [
          { name: 'a' },
          { name: 'a', resourceClaimName: 'x', resourceClaimTemplateName: 'y' },
          { name: 'A', resourceClaimName: 'Z_' },
        ],
      },
    },
    [
      'spec.resourceClaims[0]: Invalid value: {"Name":"a","ResourceClaimName":null,"ResourceClaimTemplateName":null}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
      'spec.resourceClaims[1].name: Duplicate value: "a"',
      'spec.resourceClaims[1]: Invalid value: {"Name":"a","ResourceClaimName":"x","ResourceClaimTemplateName":"y"}: at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified',
      'spec.resourceClaims[2].name: Invalid value: "A": (lowercase RFC 1123 label)',
      'spec.resourceClaims[2].resourceClaimName: Invalid value: "Z_": (lowercase RFC 1123 subdomain)',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        resources: { requests: { cpu: '1', 'ephemeral-storage': '1' }, claims: [{ name: 'a' }] },
      },
    },
    [
      'spec.resources.claims: Forbidden: claims may not be set for Resources at pod-level',
      'spec.resources.requests[ephemeral-storage]: Unsupported value: "ephemeral-storage": supported values: "cpu", "hugepages-", "memory"',
      'spec.resources.claims[0]: Not found: "a": must be one of the names in pod.spec.resourceClaims which is empty',
    ],
  ],
]

test('claims and resources of the pod', () => {
  for (const [manifest, expected] of claimsAndResourcesOfThePodCases)
    assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})

const operatingSystemsCases: readonly (readonly [object, readonly string[]])[] = [
  [
    { spec: { containers: [{ name: 'c', image: 'x:1' }], os: { name: 'mac' } } },
    ['spec.os: Unsupported value: "mac": supported values: "linux", "windows"'],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        os: { name: 'windows' },
        hostPID: true,
        securityContext: { seLinuxOptions: {}, runAsUser: 1, fsGroup: 1, sysctls: [{ name: 'a', value: 'b' }] },
      },
    },
    [
      'spec.securityContext.seLinuxOptions: Forbidden: cannot be set for a windows pod',
      'spec.hostPID: Forbidden: cannot be set for a windows pod',
      'spec.securityContext.fsGroup: Forbidden: cannot be set for a windows pod',
      'spec.securityContext.sysctls: Forbidden: cannot be set for a windows pod',
      'spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        os: { name: 'linux' },
        securityContext: { windowsOptions: { hostProcess: true } },
      },
    },
    [
      'spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers',
      'spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod',
    ],
  ],
]

test('operating systems', () => {
  for (const [manifest, expected] of operatingSystemsCases)
    assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})

const securityOfThePodCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        securityContext: {
          runAsUser: -1,
          fsGroup: -1,
          supplementalGroups: [-1],
          fsGroupChangePolicy: 'X',
          supplementalGroupsPolicy: 'Y',
          seLinuxChangePolicy: 'Z',
        },
      },
    },
    [
      'spec.securityContext.fsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive',
      'spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
      'spec.securityContext.supplementalGroups[0]: Invalid value: -1: must be between 0 and 2147483647, inclusive',
      'spec.securityContext.fsGroupChangePolicy: Unsupported value: "X": supported values: "Always", "OnRootMismatch"',
      'spec.securityContext.supplementalGroupsPolicy: Unsupported value: "Y": supported values: "Merge", "Strict"',
      'spec.securityContext.seLinuxChangePolicy: Unsupported value: "Z": supported values: "MountOption", "Recursive"',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        securityContext: {
          sysctls: [
            { name: 'A', value: 'b' },
            { name: 'net.a', value: 'b' },
          ],
        },
        hostNetwork: true,
      },
    },
    [
      'spec.securityContext.sysctls[0].name: Invalid value: "A": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$',
      `spec.securityContext.sysctls[1].name: Invalid value: "net.a": may not be specified when 'hostNetwork' is true`,
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        securityContext: {
          seccompProfile: { type: 'Localhost', localhostProfile: '/a' },
          windowsOptions: { gmsaCredentialSpecName: 'A_', gmsaCredentialSpec: '', runAsUserName: '' },
        },
      },
    },
    [
      'spec.securityContext.seccompProfile.localhostProfile: Invalid value: "/a": must be a relative path',
      'spec.securityContext.windowsOptions.gmsaCredentialSpecName: Invalid value: "A_": (lowercase RFC 1123 subdomain)',
      'spec.securityContext.windowsOptions.gmsaCredentialSpec: Invalid value: "": gmsaCredentialSpec cannot be an empty string',
      'spec.securityContext.windowsOptions.runAsUserName: Invalid value: "": runAsUserName cannot be an empty string',
    ],
  ],
  [
    {
      spec: {
        containers: [
          {
            name: 'c',
            image: 'x:1',
            securityContext: {
              seccompProfile: { type: 'Localhost' },
              appArmorProfile: { type: 'Localhost', localhostProfile: ' ' },
            },
          },
        ],
      },
    },
    [
      'spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
      'spec.containers[0].securityContext.appArmorProfile.localhostProfile: Invalid value: " ": must not be padded with whitespace',
    ],
  ],
]

test('the security of the pod', () => {
  for (const [manifest, expected] of securityOfThePodCases)
    assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})

const annotationsCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      metadata: {
        annotations: {
          'container.apparmor.security.beta.kubernetes.io/zz': 'unconfined',
          'container.apparmor.security.beta.kubernetes.io/c': 'bad',
        },
      },
      spec: { containers: [{ name: 'c', image: 'x:1' }] },
    },
    [
      'metadata.annotations[container.apparmor.security.beta.kubernetes.io/zz]: Invalid value: "zz": container not found',
      'metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: Invalid value: "bad": invalid AppArmor profile name: "bad"',
    ],
  ],
  [
    {
      metadata: { annotations: { 'seccomp.security.alpha.kubernetes.io/pod': 'x' } },
      spec: { containers: [{ name: 'c', image: 'x:1' }] },
    },
    [
      'metadata.annotations.seccomp.security.alpha.kubernetes.io/pod: Invalid value: "x": must be a valid seccomp profile',
    ],
  ],
  [
    {
      metadata: { annotations: { 'kubernetes.io/config.mirror': 'a' } },
      spec: { containers: [{ name: 'c', image: 'x:1' }] },
    },
    [
      'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "a": must set spec.nodeName if mirror pod annotation is set',
    ],
  ],
  [
    {
      metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '+1' } },
      spec: { containers: [{ name: 'c', image: 'x:1' }] },
    },
    ['metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "+1": must be a 32bit integer'],
  ],
]

test('annotations', () => {
  for (const [manifest, expected] of annotationsCases)
    assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})
