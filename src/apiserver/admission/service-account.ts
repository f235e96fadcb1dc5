import type { Draft } from '#api/kind.ts'
import type { Container, Pod, PodSpec, ServiceAccount, Volume } from '#api/types/core.v1.ts'
import { serviceAccounts } from '#api/types/resources.ts'
import type { Random } from '#lib/random.ts'
import type { AdmissionPlugin } from './admission.ts'
import { refuse } from './refuse.ts'

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount'
const volumePrefix = 'kube-api-access-'
/** Read by the token issuer: such tokens outlive their nominal end for clients that do not reread them. */
const tokenExpirationSeconds = 3607

/** Gives every pod a service account and, unless switched off, a token, the cluster's CA and the namespace (KEP-2799). */
export const serviceAccount: AdmissionPlugin = {
  name: 'ServiceAccount',
  resources: ['pods'],
  operations: ['CREATE'],
  mutate(request, { reader, random }) {
    const pod = request.object as Draft<Pod> | undefined
    if (pod?.spec === undefined) return
    if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
      const problem = mirrorProblem(pod.spec)
      if (problem !== undefined) throw refuse(request, problem)
      return
    }
    const name = pod.spec.serviceAccountName || 'default'
    pod.spec.serviceAccountName = name
    pod.spec.serviceAccount = name
    const { namespace } = request.info
    const account = reader.get(serviceAccounts, name, namespace)
    if (account === undefined) {
      throw refuse(request, `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`)
    }
    if (wantsToken(pod.spec, account)) mountToken(pod.spec, random)
    if (!pod.spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
      pod.spec.imagePullSecrets = account.imagePullSecrets.map((secret) => ({ ...secret }))
    }
  },
}

/** A mirror pod shows what runs on a node already; it must not reach for anything in the API. */
function mirrorProblem(spec: Draft<PodSpec>): string | undefined {
  if (spec.serviceAccountName) return 'a mirror pod may not reference service accounts'
  for (const volume of spec.volumes ?? []) {
    if (volume.secret !== undefined) return 'a mirror pod may not reference secrets'
    if (volume.projected?.sources?.some((source) => source.serviceAccountToken !== undefined)) {
      return 'a mirror pod may not use ServiceAccountToken volume projections'
    }
  }
  return undefined
}

function wantsToken(spec: Draft<PodSpec>, account: ServiceAccount): boolean {
  return spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true
}

function mountToken(spec: Draft<PodSpec>, random: Random): void {
  const kept = spec.volumes?.find((volume) => volume.name.startsWith(volumePrefix))?.name
  const name = kept ?? `${volumePrefix}${random.suffix(5)}`
  const lacking = [...(spec.initContainers ?? []), ...spec.containers].filter(lacksMount)
  for (const container of lacking) (container.volumeMounts ??= []).push({ name, readOnly: true, mountPath })
  if (lacking.length > 0 && kept === undefined) (spec.volumes ??= []).push(accessVolume(name))
}

function lacksMount(container: Draft<Container>): boolean {
  return !container.volumeMounts?.some((mount) => mount.mountPath === mountPath)
}

function accessVolume(name: string): Draft<Volume> {
  const namespaceFile = { path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenExpirationSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [namespaceFile] } },
      ],
      defaultMode: 0o644,
    },
  }
}
