import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate } from '../../kind-trial.case.ts'
import { short } from '../../short-messages.case.ts'
import { service } from './service.ts'

const portsOfAServiceCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      spec: {
        ports: [
          { name: 'a', port: 80 },
          { name: 'a', port: 80 },
          { name: 'B_', port: 70000, protocol: 'X', targetPort: 'too_long_port_name', appProtocol: 'a b' },
        ],
      },
    },
    [
      'spec.ports[1].name: Duplicate value: "a"',
      'spec.ports[2].name: Invalid value: "B_": (lowercase RFC 1123 label)',
      'spec.ports[2].port: Invalid value: 70000: must be between 1 and 65535, inclusive',
      'spec.ports[2].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
      'spec.ports[2].targetPort: Invalid value: "too_long_port_name": must be no more than 15 characters',
      'spec.ports[2].targetPort: Invalid value: "too_long_port_name": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      'spec.ports[2].appProtocol: Invalid value: "a b": (qualified name)',
      'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
    ],
  ],
  [
    {
      spec: {
        type: 'NodePort',
        ports: [
          { name: 'a', port: 80, nodePort: 30000 },
          { name: 'b', port: 81, nodePort: 30000 },
        ],
      },
    },
    ['spec.ports[1].nodePort: Duplicate value: 30000'],
  ],
]

test('the ports of a service', () => {
  for (const [manifest, expected] of portsOfAServiceCases)
    assert.deepEqual(short(tryCreate(service, manifest).messages), expected)
})

const belongsToSomeTypesOnlyCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      spec: {
        type: 'LoadBalancer',
        ports: [{ port: 80 }],
        loadBalancerSourceRanges: ['1.2.3.4'],
        loadBalancerClass: 'a b',
        healthCheckNodePort: 5,
      },
    },
    [
      'spec.LoadBalancerSourceRanges[0]: Invalid value: "1.2.3.4": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      'spec.loadBalancerClass: Invalid value: "a b": (qualified name)',
      "spec.healthCheckNodePort: Invalid value: 5: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    ],
  ],
  [
    {
      spec: {
        ports: [{ port: 80 }],
        loadBalancerSourceRanges: ['10.0.0.0/8'],
        loadBalancerClass: 'a',
        allocateLoadBalancerNodePorts: true,
        externalTrafficPolicy: 'Local',
      },
    },
    [
      "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
      "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'",
      "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
    ],
  ],
  [
    {
      spec: {
        type: 'ExternalName',
        externalName: 'A_',
        clusterIP: '1.1.1.1',
        clusterIPs: ['1.1.1.1'],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
      },
    },
    [
      'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
      'spec.ipFamilies: Forbidden: may not be set for ExternalName services',
      'spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services',
      'spec.externalName: Invalid value: "A_": (lowercase RFC 1123 subdomain)',
    ],
  ],
]

test('what belongs to some types only', () => {
  for (const [manifest, expected] of belongsToSomeTypesOnlyCases)
    assert.deepEqual(short(tryCreate(service, manifest).messages), expected)
})

const policiesOfTrafficCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      spec: {
        type: 'NodePort',
        ports: [{ port: 80 }],
        externalTrafficPolicy: 'X',
        internalTrafficPolicy: 'Y',
        trafficDistribution: 'Z',
        sessionAffinity: 'W',
      },
    },
    [
      'spec.sessionAffinity: Unsupported value: "W": supported values: "ClientIP", "None"',
      'spec.externalTrafficPolicy: Unsupported value: "X": supported values: "Cluster", "Local"',
      'spec.internalTrafficPolicy: Unsupported value: "Y": supported values: "Cluster", "Local"',
      'spec.trafficDistribution: Unsupported value: "Z": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
    ],
  ],
  [
    {
      spec: {
        ports: [{ port: 80 }],
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } },
        selector: { 'a b': 'c' },
      },
    },
    [
      'spec.selector: Invalid value: "a b": (qualified name)',
      'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400',
    ],
  ],
]

test('policies of traffic', () => {
  for (const [manifest, expected] of policiesOfTrafficCases)
    assert.deepEqual(short(tryCreate(service, manifest).messages), expected)
})

const addressesInTheirStrictFormCases: readonly (readonly [object, readonly string[]])[] = [
  [
    { spec: { ports: [{ port: 80 }], clusterIP: '010.0.0.1', clusterIPs: ['010.0.0.1'] } },
    ['spec.clusterIPs[0]: Invalid value: "010.0.0.1": must not have leading 0s'],
  ],
  [
    { spec: { ports: [{ port: 80 }], clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '10.0.0.2'] } },
    ['spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: may specify no more than one IP for each IP family'],
  ],
  [
    { spec: { ports: [{ port: 80 }], externalIPs: ['::ffff:1.2.3.4', '0.0.0.0'] } },
    [
      'spec.externalIPs[0]: Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address',
      'spec.externalIPs[1]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
    ],
  ],
]

test('addresses in their strict form', () => {
  for (const [manifest, expected] of addressesInTheirStrictFormCases)
    assert.deepEqual(short(tryCreate(service, manifest).messages), expected)
})
