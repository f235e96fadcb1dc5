/**
 * Goal: the kinds that nothing but clients act on have their whole API. Method: the API server in this process, each
 * kind found by discovery and taken through every verb.
 */
import {
  certificateSigningRequests,
  flowSchemas,
  ingressClasses,
  ingresses,
  ipAddresses,
  priorityLevelConfigurations,
  serviceCIDRs,
} from '#api/types/resources.ts'
import type { TestObject } from '#apiserver/server.case.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { showOperations, type ShownPart } from './api-operations.ts'
import { signingRequest } from './signing-request.ts'

const hasCondition =
  (type: string) =>
  ({ status }: TestObject): boolean =>
    (status as { conditions?: { type: string }[] } | undefined)?.conditions?.some((known) => known.type === type) ??
    false

const condition = (name: string, type: string, status: string): ShownPart => ({
  name,
  patch: {
    status: {
      conditions: [{ type, status, reason: 'Test', message: 'patched', lastTransitionTime: '2026-01-02T03:04:05Z' }],
    },
  },
  shows: hasCondition(type),
})

behaviour('apimachinery/flowcontrol', 'API priority and fairness should support FlowSchema API operations', () =>
  showOperations({
    resource: flowSchemas,
    make: () => ({
      spec: {
        matchingPrecedence: 10_000,
        priorityLevelConfiguration: { name: 'global-default' },
        distinguisherMethod: { type: 'ByUser' },
        rules: [
          {
            subjects: [{ kind: 'User', user: { name: 'example-user' } }],
            nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz'] }],
          },
        ],
      },
    }),
    parts: [condition('status', 'Dangling', 'False')],
  }),
)

behaviour(
  'apimachinery/flowcontrol',
  'API priority and fairness should support PriorityLevelConfiguration API operations',
  () =>
    showOperations({
      resource: priorityLevelConfigurations,
      make: () => ({
        spec: { type: 'Limited', limited: { nominalConcurrencyShares: 2, limitResponse: { type: 'Reject' } } },
      }),
      parts: [condition('status', 'Seen', 'True')],
    }),
)

behaviour('auth/certificates', 'Certificates API should support CSR API operations', () =>
  showOperations({
    resource: certificateSigningRequests,
    make: () => ({
      spec: {
        signerName: 'example.com/signer',
        request: signingRequest,
        expirationSeconds: 3_600,
        usages: ['digital signature', 'key encipherment', 'client auth'],
      },
    }),
    parts: [condition('status', 'StatusUpdate', 'True'), condition('approval', 'Approved', 'True')],
  }),
)

behaviour('network/ingress', 'Ingress API should support creating Ingress API operations', () =>
  showOperations({
    resource: ingresses,
    make: () => ({
      spec: {
        defaultBackend: { service: { name: 'default-backend', port: { number: 80 } } },
        rules: [
          {
            host: 'foo.bar.com',
            http: {
              paths: [
                { path: '/', pathType: 'Prefix', backend: { service: { name: 'test-backend', port: { number: 80 } } } },
              ],
            },
          },
        ],
      },
    }),
    parts: [
      {
        name: 'status',
        patch: { status: { loadBalancer: { ingress: [{ ip: '169.1.1.1' }] } } },
        shows: ({ status }) => JSON.stringify(status) === '{"loadBalancer":{"ingress":[{"ip":"169.1.1.1"}]}}',
      },
    ],
  }),
)

behaviour('network/ingressclass', 'IngressClass API should support creating IngressClass API operations', () =>
  showOperations({ resource: ingressClasses, make: () => ({ spec: { controller: 'example.com/controller' } }) }),
)

behaviour('network/service_cidrs', 'ServiceCIDR and IPAddress API should support IPAddress API operations', () =>
  showOperations({
    resource: ipAddresses,
    names: ['192.168.0.1', '192.168.0.2', '2001:db8::1'],
    make: () => ({ spec: { parentRef: { resource: 'services', namespace: 'default', name: 'web' } } }),
  }),
)

behaviour('network/service_cidrs', 'ServiceCIDR and IPAddress API should support ServiceCIDR API operations', () =>
  showOperations({
    resource: serviceCIDRs,
    make: () => ({ spec: { cidrs: ['10.2.0.0/24'] } }),
    parts: [condition('status', 'Seen', 'True')],
  }),
)
