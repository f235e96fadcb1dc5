import { deployment } from './apps/v1/deployment.ts'
import { replicaSet } from './apps/v1/replica-set.ts'
import { lease } from './coordination/v1/lease.ts'
import { configMap } from './core/v1/config-map.ts'
import { endpoints } from './core/v1/endpoints.ts'
import { event } from './core/v1/event.ts'
import { namespace } from './core/v1/namespace.ts'
import { node } from './core/v1/node.ts'
import { podTemplate } from './core/v1/pod-template.ts'
import { pod } from './core/v1/pod/pod.ts'
import { secret } from './core/v1/secret.ts'
import { serviceAccount } from './core/v1/service-account.ts'
import { service } from './core/v1/service.ts'
import { endpointSlice } from './discovery/v1/endpoint-slice.ts'
import type { Kind } from './kind.ts'
import { clusterRoleBinding, roleBinding } from './rbac/v1/role-binding.ts'
import { clusterRole, role } from './rbac/v1/role.ts'

/** Every built-in kind that adds something to its schema facts. */
export const kinds: readonly Kind[] = [
  configMap,
  endpoints,
  event,
  namespace,
  node,
  pod,
  podTemplate,
  secret,
  service,
  serviceAccount,
  deployment,
  replicaSet,
  lease,
  endpointSlice,
  clusterRole,
  clusterRoleBinding,
  role,
  roleBinding,
]
