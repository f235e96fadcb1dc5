import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readerOf } from '../../registry/object-reader.case.ts'
import { admit } from '../admission.case.ts'
import { podSecurity } from './pod-security.ts'

function namespace(labels: Record<string, string>) {
  const named = Object.fromEntries(
    Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value]),
  )
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: named } }
}

async function create(labels: Record<string, string>, spec: object, metadata: object = {}): Promise<string> {
  const object = {
    metadata: { name: 'p', namespace: 'shop', ...metadata },
    spec: { containers: [{ name: 'c' }], ...spec },
  }
  try {
    await admit([podSecurity], readerOf(namespace(labels)), { to: 'pods', object })
    return ''
  } catch (error) {
    return (error as Error).message.replace(/^pods "p" is forbidden: violates PodSecurity /, '')
  }
}

const safe = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }
const safePod = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }
const escalation =
  'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)'
const capabilities = 'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"])'
const nonRoot = 'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)'
const seccomp =
  'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'

const restricted: readonly [object, string][] = [
  [{}, `${escalation}, ${capabilities}, ${nonRoot}, ${seccomp}`],
  [{ containers: [{ name: 'c', securityContext: safe }], securityContext: safePod }, ''],
  [
    { containers: [{ name: 'c', securityContext: { privileged: true } }] },
    `privileged (container "c" must not set securityContext.privileged=true), ${escalation}, ${capabilities}, ${nonRoot}, ${seccomp}`,
  ],
  [
    { hostNetwork: true, hostPID: true, hostIPC: true },
    `host namespaces (hostNetwork=true, hostPID=true, hostIPC=true), ${escalation}, ${capabilities}, ${nonRoot}, ${seccomp}`,
  ],
  [
    { volumes: [{ name: 'v', hostPath: { path: '/' } }] },
    `${escalation}, ${capabilities}, restricted volume types (volume "v" uses restricted volume type "hostPath"), ${nonRoot}, ${seccomp}`,
  ],
  [
    {
      containers: [
        { name: 'c', securityContext: { capabilities: { add: ['SYS_ADMIN', 'CHOWN', 'NET_RAW'] } } },
        { name: 'd', securityContext: { capabilities: { add: ['SYS_TIME'] } } },
      ],
    },
    'allowPrivilegeEscalation != false (containers "c", "d" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (containers "c", "d" must set securityContext.capabilities.drop=["ALL"]; containers "c", "d" must not include "CHOWN", "NET_RAW", "SYS_ADMIN", "SYS_TIME" in securityContext.capabilities.add), runAsNonRoot != true (pod or containers "c", "d" must set securityContext.runAsNonRoot=true), seccompProfile (pod or containers "c", "d" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  ],
  [
    { containers: [{ name: 'c', securityContext: safe }], securityContext: { ...safePod, runAsUser: 0 } },
    'runAsUser=0 (pod must not set runAsUser=0)',
  ],
  [
    { securityContext: { seccompProfile: { type: 'Unconfined' } } },
    `${escalation}, ${capabilities}, ${nonRoot}, seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")`,
  ],
  [
    { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } },
    `forbidden sysctls (kernel.msgmax), ${escalation}, ${capabilities}, ${nonRoot}, ${seccomp}`,
  ],
  [
    { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 18080 }] }] },
    `hostPort (container "c" uses hostPort 18080), ${escalation}, ${capabilities}, ${nonRoot}, ${seccomp}`,
  ],
  [
    { containers: [{ name: 'c', securityContext: { procMount: 'Unmasked' } }], hostUsers: false },
    `${escalation}, ${capabilities}, procMount (container "c" must not set securityContext.procMount to "Unmasked"), ${seccomp}`,
  ],
  [
    { securityContext: { seLinuxOptions: { type: 'custom_t', user: 'u' } } },
    `seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "custom_t"; user may not be set), ${escalation}, ${capabilities}, ${nonRoot}, ${seccomp}`,
  ],
  [
    { containers: [{ name: 'c', securityContext: safe }], securityContext: safePod, initContainers: [{ name: 'i' }] },
    'allowPrivilegeEscalation != false (container "i" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "i" must set securityContext.capabilities.drop=["ALL"])',
  ],
]

for (const [spec, found] of restricted) {
  test(`restricted: ${JSON.stringify(spec)}`, async () => {
    assert.equal(await create({ enforce: 'restricted' }, spec), found && `"restricted:latest": ${found}`)
  })
}

const baseline: readonly [object, string][] = [
  [{}, ''],
  [
    {
      volumes: [
        { name: 'v', hostPath: {} },
        { name: 'w', hostPath: {} },
      ],
    },
    'hostPath volumes (volumes "v", "w")',
  ],
  [
    { containers: [{ name: 'c', securityContext: { capabilities: { add: ['SYS_ADMIN', 'CHOWN'] } } }] },
    'non-default capabilities (container "c" must not include "SYS_ADMIN" in securityContext.capabilities.add)',
  ],
  [{ containers: [{ name: 'c', securityContext: { procMount: 'Unmasked' } }], hostUsers: false }, ''],
  [{ securityContext: { runAsUser: 0 } }, ''],
  [
    { containers: [{ name: 'c', livenessProbe: { httpGet: { host: '192.0.2.1', port: 1 } } }] },
    'probe or lifecycle host (container "c" uses probe or lifecycle host "192.0.2.1")',
  ],
]

for (const [spec, found] of baseline) {
  test(`baseline: ${JSON.stringify(spec)}`, async () => {
    assert.equal(
      await create({ enforce: 'baseline', 'enforce-version': 'v1.36' }, spec),
      found && `"baseline:v1.36": ${found}`,
    )
  })
}

const versioned: readonly (readonly [level: string, version: string, spec: object, isRefused: boolean])[] = [
  [
    'baseline',
    'v1.33',
    { containers: [{ name: 'c', livenessProbe: { httpGet: { host: '192.0.2.1', port: 1 } } }] },
    false,
  ],
  [
    'baseline',
    'v1.34',
    { containers: [{ name: 'c', livenessProbe: { httpGet: { host: '192.0.2.1', port: 1 } } }] },
    true,
  ],
  ['baseline', 'v1.28', { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_keepalive_time', value: '1' }] } }, true],
  ['baseline', 'v1.29', { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_keepalive_time', value: '1' }] } }, false],
  ['baseline', 'v1.30', { securityContext: { seLinuxOptions: { type: 'container_engine_t' } } }, true],
  ['baseline', 'v1.31', { securityContext: { seLinuxOptions: { type: 'container_engine_t' } } }, false],
  ['restricted', 'v1.7', { securityContext: { runAsNonRoot: true } }, false],
  ['restricted', 'v1.8', { securityContext: { runAsNonRoot: true } }, true],
]

for (const [level, version, spec, isRefused] of versioned) {
  test(`${level} as of ${version}: ${JSON.stringify(spec)} is ${isRefused ? 'refused' : 'allowed'}`, async () => {
    const message = await create({ enforce: level, 'enforce-version': version }, spec)
    assert.equal(message.startsWith(`"${level}:${version}": `), isRefused)
  })
}

test('a namespace that becomes stricter names the pods that would be refused', async () => {
  const pod = (name: string, spec: object) => ({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop' } },
    spec: { containers: [{ name: 'c' }], ...spec },
  })
  const existing = [pod('b', { hostPID: true }), pod('a', { hostIPC: true }), pod('c', {}), pod('d', { hostPID: true })]
  const update = async (from: Record<string, string>, to: Record<string, string>): Promise<readonly string[]> => {
    const warnings: string[] = []
    const change = { to: 'namespaces', namespace: '', old: namespace(from) } as const
    const warn = (message: string): void => void warnings.push(message)
    await admit([podSecurity], readerOf(...existing), { ...change, object: namespace(to), warn })
    return warnings
  }
  assert.deepEqual(await update({}, { enforce: 'baseline' }), [
    'existing pods in namespace "shop" violate the new PodSecurity enforce level "baseline:latest"',
    'b (and 2 other pods): host namespaces',
  ])
  assert.deepEqual(await update({ enforce: 'restricted' }, { enforce: 'baseline' }), [])
  assert.deepEqual(await update({}, { warn: 'restricted' }), [])
})

test('an update of a pod is judged when it brings another image', async () => {
  const object = {
    metadata: { name: 'p', namespace: 'shop' },
    spec: { hostPID: true, containers: [{ name: 'c', image: 'a' }] },
  }
  const update = (image: string): Promise<unknown> =>
    admit([podSecurity], readerOf(namespace({ enforce: 'baseline' })), {
      ...{
        to: 'pods',
        object,
        old: { ...object, spec: { ...object.spec, containers: [{ name: 'c', image }] } },
      },
    })
  await update('a')
  await assert.rejects(update('b'), { reason: 'Forbidden' })
})

test('no label is no rule, an unreadable one the strictest', async () => {
  assert.equal(await create({}, { hostPID: true }), '')
  assert.match(await create({ enforce: 'lax' }, {}), /^"restricted:latest"/)
})

test('warnings for pods and for templates, without refusing', async () => {
  const warnings: string[] = []
  const write = (to: string, object: object) =>
    admit([podSecurity], readerOf(namespace({ warn: 'baseline' })), {
      to,
      object,
      warn: (message) => void warnings.push(message),
    })
  const spec = { containers: [{ name: 'c' }], hostPID: true }
  await write('pods', { metadata: { name: 'p' }, spec })
  await write('deployments.apps', { metadata: { name: 'd' }, spec: { template: { spec } } })
  await write('cronjobs.batch', { metadata: { name: 'j' }, spec: { jobTemplate: { spec: { template: { spec } } } } })
  assert.deepEqual(
    warnings,
    Array(3).fill('would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)'),
  )
})

test('bad labels on a namespace are refused', async () => {
  const object = namespace({ enforce: 'lax' })
  await assert.rejects(admit([podSecurity], readerOf(), { to: 'namespaces', namespace: '', object }), {
    reason: 'Invalid',
    message:
      'Namespace "shop" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "lax": must be one of privileged, baseline, restricted',
  })
})
