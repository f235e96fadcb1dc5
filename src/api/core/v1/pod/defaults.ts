import type { Draft } from '../../../kind.ts'
import { quantityOf, quantityOfMilli } from '../../../meta/quantity.ts'
import type { Container, Pod, PodSpec, Probe, ResourceRequirements } from '../../../types/core.v1.ts'
import { isPodLevelResource, podRequests } from '../pod-resources.ts'
import { imagePullPolicyFor } from './image-pull-policy.ts'
import { dropDisabledFields } from './prepare-pod.ts'
import { setVolumeDefaults } from './volume-defaults.ts'

/** Defaults of a pod template, as every workload kind holds one (API reference, PodSpec). */
export function setPodSpecDefaults(spec: Draft<PodSpec>): void {
  dropDisabledFields(spec)
  spec.dnsPolicy ??= 'ClusterFirst'
  spec.restartPolicy ??= 'Always'
  spec.securityContext ??= {}
  spec.schedulerName ??= 'default-scheduler'
  spec.terminationGracePeriodSeconds ??= 30
  mirrorServiceAccount(spec)
  for (const volume of spec.volumes ?? []) setVolumeDefaults(volume)
  for (const container of containersOf(spec)) setContainerDefaults(container)
}

/** Defaults of a pod itself: those of its spec and what a template leaves open. */
export function setPodDefaults(pod: Draft<Pod>): void {
  const spec = (pod.spec ??= { containers: [] })
  spec.enableServiceLinks ??= true
  setPodSpecDefaults(spec)
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    if (spec.hostNetwork === true) setHostPorts(container)
    setRequestsFromLimits(container.resources)
  }
  if (spec.resources !== undefined) setPodLevelRequests(pod, spec.resources)
}

/** `serviceAccount` is the old name of `serviceAccountName`: both are answered, the new name wins. */
function mirrorServiceAccount(spec: Draft<PodSpec>): void {
  const name = spec.serviceAccountName || spec.serviceAccount
  if (name === undefined || name === '') return
  spec.serviceAccountName = name
  spec.serviceAccount = name
}

function containersOf(spec: Draft<PodSpec>): readonly Draft<Container>[] {
  return [...(spec.containers ?? []), ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])]
}

function setContainerDefaults(container: Draft<Container>): void {
  container.resources ??= {}
  container.imagePullPolicy ??= imagePullPolicyFor(container.image)
  container.terminationMessagePath ??= '/dev/termination-log'
  container.terminationMessagePolicy ??= 'File'
  for (const port of container.ports ?? []) port.protocol ??= 'TCP'
  for (const variable of container.env ?? []) setEnvDefaults(variable)
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe !== undefined) setProbeDefaults(probe)
  }
  setHttpGetDefaults(container.lifecycle?.postStart?.httpGet)
  setHttpGetDefaults(container.lifecycle?.preStop?.httpGet)
}

type DraftEnv = NonNullable<Draft<Container>['env']>[number]

function setEnvDefaults({ valueFrom }: DraftEnv): void {
  if (valueFrom === undefined) return
  if (valueFrom.fieldRef !== undefined) valueFrom.fieldRef.apiVersion ||= 'v1'
  if (valueFrom.resourceFieldRef !== undefined) valueFrom.resourceFieldRef.divisor ??= '0'
  if (valueFrom.fileKeyRef !== undefined) valueFrom.fileKeyRef.optional ??= false
}

function setProbeDefaults(probe: Draft<Probe>): void {
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
  setHttpGetDefaults(probe.httpGet)
  if (probe.grpc !== undefined) probe.grpc.service ??= ''
}

function setHttpGetDefaults(httpGet: Draft<NonNullable<Probe['httpGet']>> | undefined): void {
  if (httpGet === undefined) return
  httpGet.path ||= '/'
  httpGet.scheme ??= 'HTTP'
}

function setHostPorts(container: Draft<Container>): void {
  for (const port of container.ports ?? []) if (port.containerPort > 0) port.hostPort ||= port.containerPort
}

/** A limit without a request asks for as much as it allows. */
function setRequestsFromLimits(resources: Draft<ResourceRequirements> | undefined): void {
  if (resources?.limits === undefined) return
  const requests = (resources.requests ??= {})
  for (const [name, limit] of Object.entries(resources.limits)) requests[name] ??= limit
}

/**
 * Pod-level limits without a request: the request becomes the sum of what the containers ask for, or the limit where
 * none of them asks (KEP-2837).
 */
function setPodLevelRequests(pod: Draft<Pod>, resources: Draft<ResourceRequirements>): void {
  if (resources.limits === undefined) return
  const unlimited = { ...pod, spec: { ...pod.spec, resources: undefined } } as Pod
  const fromContainers = podRequests(unlimited, { withoutOverhead: true })
  const requests = (resources.requests ??= {})
  for (const [name, sum] of Object.entries(fromContainers)) {
    if (sum === 0 || requests[name] !== undefined || !isPodLevelResource(name) || name.startsWith('hugepages-'))
      continue
    requests[name] = name === 'cpu' ? quantityOfMilli(sum) : quantityOf(sum, 'BinarySI')
  }
  for (const [name, limit] of Object.entries(resources.limits)) {
    if (isPodLevelResource(name)) requests[name] ??= limit
  }
  if (Object.keys(requests).length === 0) delete resources.requests
}
