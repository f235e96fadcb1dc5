import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate, tryUpdate } from '../../../kind-trial.case.ts'
import type { Pod } from '../../../types/core.v1.ts'
import { pod } from './pod.ts'

const base = { name: 'c', image: 'x:1' }

function complaints(container: object, spec: object = {}): readonly string[] {
  return tryCreate(pod, { spec: { containers: [{ ...base, ...container }], ...spec } }).messages
}

const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

const at = 'spec.containers[0]'
const refusedContainers: readonly [object, readonly string[]][] = [
  [{ image: '' }, [`${at}.image: Required value`]],
  [{ name: 'Bad' }, [`${at}.name: Invalid value: "Bad": ${labelRule}`]],
  [
    { imagePullPolicy: 'Sometimes' },
    [`${at}.imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"`],
  ],
  [
    { ports: [{ containerPort: 70_000 }] },
    [`${at}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`],
  ],
  [
    { ports: [{ name: 'waytoolongportname', containerPort: 80, protocol: 'HTTP' }] },
    [
      `${at}.ports[0].name: Invalid value: "waytoolongportname": must be no more than 15 characters`,
      `${at}.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"`,
    ],
  ],
  [
    { resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } },
    [`${at}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`],
  ],
  [
    { resources: { requests: { foo: '1' } } },
    [
      `${at}.resources.requests[foo]: Invalid value: "foo": must be a standard resource type or fully qualified`,
      `${at}.resources.requests[foo]: Invalid value: "foo": must be a standard resource for containers`,
    ],
  ],
  [
    { resources: { limits: { 'example.com/gpu': '1500m' } } },
    ['limits', 'requests'].map(
      (part) => `${at}.resources.${part}[example.com/gpu]: Invalid value: "1500m": must be an integer`,
    ),
  ],
  [
    { env: [{ name: '' }, { name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] },
    [
      `${at}.env[0].name: Required value`,
      `${at}.env[1].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`,
    ],
  ],
  [
    { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.bogus' } } }] },
    [
      `${at}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.bogus": error converting fieldPath: field label not supported: spec.bogus`,
    ],
  ],
  [{ livenessProbe: {} }, [`${at}.livenessProbe: Required value: must specify a handler type`]],
  [
    { livenessProbe: { httpGet: { port: 80 }, tcpSocket: { port: 80 } } },
    [`${at}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type`],
  ],
  [
    { livenessProbe: { tcpSocket: { port: 80 }, successThreshold: 2, periodSeconds: -1 } },
    [
      `${at}.livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0`,
      `${at}.livenessProbe.successThreshold: Invalid value: 2: must be 1`,
    ],
  ],
  [
    { lifecycle: { preStop: { sleep: { seconds: 100 } } } },
    [
      `${at}.lifecycle.preStop.sleep: Invalid value: 100: must be non-negative and less than terminationGracePeriodSeconds (30)`,
    ],
  ],
  [{ volumeMounts: [{ name: 'nope', mountPath: '/a' }] }, [`${at}.volumeMounts[0].name: Not found: "nope"`]],
  [
    { securityContext: { runAsUser: -1 } },
    [`${at}.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive`],
  ],
]

test('a container is refused in the words of the API server', () => {
  for (const [container, expected] of refusedContainers) assert.deepEqual(complaints(container), expected)
})

test('a pod needs containers, and their names differ', () => {
  assert.deepEqual(tryCreate(pod, { spec: { containers: [] } }).messages, ['spec.containers: Required value'])
  const twice = tryCreate(pod, { spec: { containers: [base, base] } })
  assert.deepEqual(twice.messages, ['spec.containers[1].name: Duplicate value: "c"'])
  assert.deepEqual(complaints({}, { initContainers: [base] }), ['spec.initContainers[0].name: Duplicate value: "c"'])
})

test('volumes and their mounts', () => {
  const cases: readonly [object, readonly string[]][] = [
    [
      { emptyDir: {}, hostPath: { path: '/' } },
      ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
    ],
    [
      { hostPath: { path: '/a/..', type: 'Nope' } },
      [
        `spec.volumes[0].hostPath.path: Invalid value: "/a/..": must not contain '..'`,
        'spec.volumes[0].hostPath.type: Unsupported value: "Nope": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
      ],
    ],
    [{ configMap: { name: '' } }, ['spec.volumes[0].configMap.name: Required value']],
    [
      { secret: { secretName: 's', defaultMode: 1000 } },
      [
        'spec.volumes[0].secret.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive',
      ],
    ],
    [
      { emptyDir: { sizeLimit: '-1' } },
      ['spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity'],
    ],
  ]
  for (const [source, expected] of cases) {
    assert.deepEqual(complaints({}, { volumes: [{ name: 'v', ...source }] }), expected)
  }
  const mounts = [
    { name: 'v', mountPath: '/a' },
    { name: 'v', mountPath: '/a', subPath: '../x' },
  ]
  assert.deepEqual(complaints({ volumeMounts: mounts }, { volumes: [{ name: 'v', emptyDir: {} }] }), [
    'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
    `spec.containers[0].volumeMounts.subPath: Invalid value: "../x": must not contain '..'`,
  ])
})

test('where and how the pod runs', () => {
  const term = 'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]'
  const cases: readonly [object, readonly string[]][] = [
    [
      { restartPolicy: 'Maybe' },
      ['spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"'],
    ],
    [{ dnsPolicy: 'None' }, ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None']],
    [
      { activeDeadlineSeconds: 0 },
      ['spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive'],
    ],
    [
      { tolerations: [{ effect: 'Never', operator: 'Exists' }] },
      [
        'spec.tolerations[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      ],
    ],
    [
      { topologySpreadConstraints: [{ maxSkew: 0, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }] },
      ['spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero'],
    ],
    [
      { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: '' }] } } },
      [
        `${term}.topologyKey: Required value: can not be empty`,
        `${term}.topologyKey: Invalid value: "": name part must be non-empty`,
        `${term}.topologyKey: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      ],
    ],
  ]
  for (const [spec, expected] of cases) assert.deepEqual(complaints({}, spec), expected)
})

test('of a running pod only a few fields may change', () => {
  const created = tryCreate(pod, { spec: { containers: [base], activeDeadlineSeconds: 100 } })
  const change = (edit: (draft: Pod) => void): readonly string[] => tryUpdate<Pod>(pod, created, edit as never).messages
  const draftSpec = (draft: Pod): Record<string, unknown> => draft.spec as unknown as Record<string, unknown>
  assert.deepEqual(
    change((draft) => Object.assign(draft.spec.containers[0] as object, { image: 'x:2' })),
    [],
  )
  assert.deepEqual(
    change((draft) => void (draftSpec(draft)['activeDeadlineSeconds'] = 50)),
    [],
  )
  assert.deepEqual(
    change((draft) => void (draftSpec(draft)['activeDeadlineSeconds'] = 101)),
    ['spec.activeDeadlineSeconds: Invalid value: 101: must be less than or equal to previous value'],
  )
  assert.deepEqual(
    change((draft) => (draft.spec.containers as unknown[]).push({ ...base, name: 'd' })),
    ['spec.containers: Forbidden: pod updates may not add or remove containers'],
  )
  const [renamed = ''] = change((draft) => void (draftSpec(draft)['nodeName'] = 'other'))
  assert.match(
    renamed,
    /^spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`,/,
  )
  assert.match(renamed, /^- "NodeName": "",\n\+ "NodeName": "other",$/m)
})

test('grace: unbound and finished pods go at once', () => {
  const grace = (spec: object, status: object, requested?: number): number | undefined => {
    const { object } = tryCreate(pod, { spec: { containers: [base], ...spec } })
    return pod.gracePeriodSeconds?.({ ...object, status } as never, requested)
  }
  assert.equal(grace({}, { phase: 'Pending' }, 60), 0)
  assert.equal(grace({ nodeName: 'n' }, { phase: 'Running' }), 30)
  assert.equal(grace({ nodeName: 'n' }, { phase: 'Running' }, 5), 5)
  assert.equal(grace({ nodeName: 'n', terminationGracePeriodSeconds: -3 }, { phase: 'Running' }), 1)
  assert.equal(grace({ nodeName: 'n' }, { phase: 'Failed' }, 5), 0)
})
