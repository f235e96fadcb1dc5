import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate } from '../../../kind-trial.case.ts'
import { short } from '../../../short-messages.case.ts'
import { pod } from './pod.ts'

const resourcesOfAContainerCases: readonly (readonly [object, readonly string[]])[] = [
  [
    { spec: { containers: [{ name: 'c', image: 'x:1', resources: { requests: { 'hugepages-2Mi': '3Mi' } } }] } },
    [
      'spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources',
      'spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
      'spec.containers[0].resources: Forbidden: HugePages require cpu or memory',
    ],
  ],
  [
    { spec: { containers: [{ name: 'c', image: 'x:1', resources: { limits: { 'hugepages-2Mi': '4Mi' } } }] } },
    ['spec.containers[0].resources: Forbidden: HugePages require cpu or memory'],
  ],
  [
    { spec: { containers: [{ name: 'c', image: 'x:1', resources: { claims: [{ name: 'a' }, { name: 'a' }] } }] } },
    [
      'spec.containers[0].resources.claims[0]: Not found: "a": must be one of the names in pod.spec.resourceClaims which is empty',
      'spec.containers[0].resources.claims[1]: Duplicate value: "a"',
      'spec.containers[0].resources.claims[1]: Not found: "a": must be one of the names in pod.spec.resourceClaims which is empty',
    ],
  ],
]

test('the resources of a container', () => {
  for (const [manifest, expected] of resourcesOfAContainerCases)
    assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})

const variablesOfAContainerCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      spec: {
        containers: [
          {
            name: 'c',
            image: 'x:1',
            envFrom: [
              {},
              { configMapRef: { name: 'A_' }, secretRef: { name: 's' } },
              { prefix: 'a=b', configMapRef: { name: 'a' } },
            ],
          },
        ],
      },
    },
    [
      'spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
      'spec.containers[0].envFrom[1].configMapRef.name: Invalid value: "A_": (lowercase RFC 1123 subdomain)',
      'spec.containers[0].envFrom: Invalid value: "": may not have more than one field specified at a time',
      `spec.containers[0].envFrom[2].prefix: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='`,
    ],
  ],
  [
    {
      spec: {
        containers: [
          {
            name: 'c',
            image: 'x:1',
            env: [
              { name: 'a=b', value: 'x' },
              { name: 'X', valueFrom: {} },
            ],
          },
        ],
      },
    },
    [
      `spec.containers[0].env[0].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='`,
      'spec.containers[0].env[1].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
    ],
  ],
  [
    {
      spec: {
        containers: [
          {
            name: 'c',
            image: 'x:1',
            env: [
              {
                name: 'Y',
                valueFrom: { secretKeyRef: { name: '', key: 'a/b' }, configMapKeyRef: { name: 'n', key: '' } },
              },
            ],
          },
        ],
      },
    },
    [
      'spec.containers[0].env[0].valueFrom.configMapKeyRef.key: Required value',
      'spec.containers[0].env[0].valueFrom.secretKeyRef.name: Invalid value: "": (lowercase RFC 1123 subdomain)',
      'spec.containers[0].env[0].valueFrom.secretKeyRef.key: Invalid value: "a/b": (valid config key)',
      'spec.containers[0].env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time',
    ],
  ],
  [
    {
      spec: {
        containers: [
          {
            name: 'c',
            image: 'x:1',
            env: [{ name: 'Z', valueFrom: { resourceFieldRef: { resource: 'limits.bogus' } } }],
          },
        ],
      },
    },
    [
      'spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.bogus": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"',
    ],
  ],
  [
    {
      spec: {
        containers: [
          {
            name: 'c',
            image: 'x:1',
            env: [{ name: 'W', valueFrom: { fileKeyRef: { volumeName: 'v', path: '../x', key: 'K' } } }],
          },
        ],
      },
    },
    [
      `spec.containers[0].env[0].valueFrom.fileKeyRef.path: Invalid value: "../x": must not contain '..'`,
      'spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Not found: "v"',
    ],
  ],
]

test('the variables of a container', () => {
  for (const [manifest, expected] of variablesOfAContainerCases)
    assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})

const portsOfAContainerCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      spec: {
        containers: [
          {
            name: 'c',
            image: 'x:1',
            ports: [
              { containerPort: 80, hostPort: 80 },
              { containerPort: 81, hostPort: 80 },
            ],
          },
        ],
      },
    },
    ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80"'],
  ],
  [
    {
      spec: {
        containers: [
          {
            name: 'c',
            image: 'x:1',
            ports: [
              { name: 'a', containerPort: 82 },
              { name: 'a', containerPort: 83 },
            ],
          },
        ],
      },
    },
    ['spec.containers[0].ports[1].name: Duplicate value: "a"'],
  ],
  [
    {
      spec: { containers: [{ name: 'c', image: 'x:1', ports: [{ name: 'A_b', containerPort: 0, hostPort: 70000 }] }] },
    },
    [
      'spec.containers[0].ports[0].name: Invalid value: "A_b": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      'spec.containers[0].ports[0].containerPort: Required value',
      'spec.containers[0].ports[0].hostPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1', ports: [{ containerPort: 80, hostPort: 81 }] }],
        hostNetwork: true,
      },
    },
    ['spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true'],
  ],
]

test('the ports of a container', () => {
  for (const [manifest, expected] of portsOfAContainerCases)
    assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})

const probesAndHooksCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      spec: {
        containers: [
          {
            name: 'c',
            image: 'x:1',
            readinessProbe: {
              httpGet: { path: '', port: 'too-long-port-name-here', scheme: 'FTP' },
              terminationGracePeriodSeconds: 3,
            },
          },
        ],
      },
    },
    [
      'spec.containers[0].readinessProbe.httpGet.port: Invalid value: "too-long-port-name-here": must be no more than 15 characters',
      'spec.containers[0].readinessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"',
      'spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 3: must not be set for readinessProbes',
    ],
  ],
  [
    { spec: { containers: [{ name: 'c', image: 'x:1', startupProbe: { grpc: { port: 0 }, successThreshold: 3 } }] } },
    [
      'spec.containers[0].startupProbe.grpc.port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'spec.containers[0].startupProbe.successThreshold: Invalid value: 3: must be 1',
    ],
  ],
  [
    {
      spec: {
        containers: [
          { name: 'c', image: 'x:1', livenessProbe: { exec: { command: [] }, terminationGracePeriodSeconds: 0 } },
        ],
      },
    },
    [
      'spec.containers[0].livenessProbe.exec.command: Required value',
      'spec.containers[0].livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0',
    ],
  ],
  [
    {
      spec: {
        containers: [
          { name: 'c', image: 'x:1', lifecycle: { postStart: {}, preStop: { exec: {}, httpGet: { port: 0 } } } },
        ],
      },
    },
    [
      'spec.containers[0].lifecycle.postStart: Required value: must specify a handler type',
      'spec.containers[0].lifecycle.preStop.exec.command: Required value',
      'spec.containers[0].lifecycle.preStop.httpGet: Forbidden: may not specify more than 1 handler type',
    ],
  ],
]

test('probes and hooks', () => {
  for (const [manifest, expected] of probesAndHooksCases)
    assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})

const aContainerMayRestartAndResizeCases: readonly (readonly [object, readonly string[]])[] = [
  [
    { spec: { containers: [{ name: 'c', image: 'x:1', restartPolicy: 'Sometimes' }] } },
    [
      'spec.containers[0].restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
    ],
  ],
  [
    {
      spec: {
        containers: [
          {
            name: 'c',
            image: 'x:1',
            restartPolicyRules: [{ action: 'X', exitCodes: { operator: 'Y', values: [] } }, {}],
          },
        ],
      },
    },
    [
      'spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used',
      'spec.containers[0].restartPolicyRules[0].action: Unsupported value: "X": supported values: "Restart", "RestartAllContainers"',
      'spec.containers[0].restartPolicyRules[0].exitCodes.operator: Unsupported value: "Y": supported values: "In", "NotIn"',
      'spec.containers[0].restartPolicyRules[1].action: Unsupported value: "": supported values: "Restart", "RestartAllContainers"',
      'spec.containers[0].restartPolicyRules[1].exitCodes: Required value: must be specified',
    ],
  ],
  [
    {
      spec: {
        containers: [
          {
            name: 'c',
            image: 'x:1',
            resizePolicy: [
              { resourceName: 'disk', restartPolicy: 'X' },
              { resourceName: 'cpu', restartPolicy: 'NotRequired' },
              { resourceName: 'cpu', restartPolicy: 'NotRequired' },
            ],
          },
        ],
      },
    },
    [
      'spec.containers[0].resizePolicy: Unsupported value: "disk": supported values: "cpu", "memory"',
      'spec.containers[0].resizePolicy: Unsupported value: "X": supported values: "NotRequired", "RestartContainer"',
      'spec.containers[0].resizePolicy[2]: Duplicate value: "cpu"',
    ],
  ],
]

test('how a container may restart and resize', () => {
  for (const [manifest, expected] of aContainerMayRestartAndResizeCases)
    assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})

const mountsAndDevicesCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      spec: {
        containers: [
          { name: 'c', image: 'x:1', volumeMounts: [{ name: 'v', mountPath: '', subPath: '/a', subPathExpr: '$(X)' }] },
        ],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    },
    [
      'spec.containers[0].volumeMounts[0].mountPath: Required value',
      'spec.containers[0].volumeMounts.subPath: Invalid value: "/a": must be a relative path',
      'spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: "$(X)": subPathExpr and subPath are mutually exclusive',
    ],
  ],
  [
    {
      spec: {
        containers: [
          {
            name: 'c',
            image: 'x:1',
            volumeMounts: [
              { name: 'v', mountPath: 'a:b', mountPropagation: 'Bidirectional' },
              { name: 'v', mountPath: '/r', recursiveReadOnly: 'Enabled' },
            ],
          },
        ],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    },
    [
      'spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers',
      'spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true',
    ],
  ],
  [
    {
      spec: {
        containers: [
          {
            name: 'c',
            image: 'x:1',
            volumeMounts: [
              { name: 'v', mountPath: '/q', readOnly: true, recursiveReadOnly: 'X', mountPropagation: 'Y' },
            ],
          },
        ],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    },
    [
      'spec.containers[0].volumeMounts.mountPropagation: Unsupported value: "Y": supported values: "Bidirectional", "HostToContainer", "None"',
      'spec.containers[0].volumeMounts.recursiveReadOnly: Unsupported value: "X": supported values: "Disabled", "Enabled", "IfPossible"',
    ],
  ],
  [
    {
      spec: {
        containers: [
          {
            name: 'c',
            image: 'x:1',
            volumeDevices: [
              { name: 'v', devicePath: '/dev/x' },
              { name: 'p', devicePath: '' },
              { name: 'p', devicePath: '/a/../b' },
            ],
          },
        ],
        volumes: [
          { name: 'v', emptyDir: {} },
          { name: 'p', persistentVolumeClaim: { claimName: 'a' } },
        ],
      },
    },
    [
      'spec.containers[0].volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
      'spec.containers[0].volumeDevices[1].devicePath: Required value',
      'spec.containers[0].volumeDevices[2].name: Invalid value: "p": must be unique',
      `spec.containers[0].volumeDevices[2].devicePath: Invalid value: "/a/../b": can not contain backsteps ('..')`,
    ],
  ],
]

test('mounts and devices', () => {
  for (const [manifest, expected] of mountsAndDevicesCases)
    assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})

const containersThatRunBeforeAndBesideCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        initContainers: [
          {
            name: 'i',
            image: 'x:1',
            lifecycle: { preStop: { exec: { command: ['a'] } } },
            livenessProbe: { exec: { command: ['a'] } },
          },
        ],
      },
    },
    [
      'spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always',
      'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        ephemeralContainers: [
          {
            name: 'c',
            image: 'x',
            targetContainerName: 'zz',
            ports: [{ containerPort: 1 }],
            resources: { limits: { cpu: '1' } },
            lifecycle: {},
            volumeMounts: [{ name: 'v', mountPath: '/a', subPath: 'b' }],
          },
        ],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    },
    [
      'spec.ephemeralContainers[0].name: Duplicate value: "c"',
      'spec.ephemeralContainers[0].targetContainerName: Not found: "zz"',
      'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
      'spec.ephemeralContainers[0].resources: Forbidden: cannot be set for an Ephemeral Container',
      'spec.ephemeralContainers[0].lifecycle: Forbidden: cannot be set for an Ephemeral Container',
      'spec.ephemeralContainers[0].volumeMounts[0].subPath: Forbidden: cannot be set for an Ephemeral Container',
      'spec.ephemeralContainers: Forbidden: cannot be set on create',
    ],
  ],
]

test('containers that run before and beside', () => {
  for (const [manifest, expected] of containersThatRunBeforeAndBesideCases)
    assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})
