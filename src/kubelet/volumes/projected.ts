import type {
  ClusterTrustBundleProjection,
  PodCertificateProjection,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from '#api/types/core.v1.ts'
import { writePayload, type PayloadFile } from './atomic-writer.ts'
import { kubeletWritten, writeOptions } from './config-map.ts'
import { fileOwnership } from './ownership.ts'
import { configMapEntries, downwardEntries, secretEntries, type PayloadEntries } from './payload-sources.ts'
import { trustAnchors } from './trust-anchors.ts'
import type { VolumePlugin, VolumeRequest } from './volume-plugin.ts'

/** Several sources in one folder, in memory, kept current; tokens and certificates are renewed before they end. */
export const projectedVolume: VolumePlugin = {
  type: 'projected',
  isLive: true,
  async setUp(request) {
    const { sources = [], defaultMode = 0o644 } = request.volume.projected ?? {}
    const parts = await allOrReasons(sources.map((source, index) => project({ request, defaultMode, index }, source)))
    const payload = new Map(parts.flatMap(({ entries }) => entries))
    await writePayload(request.memoryDirectory, payload, writeOptions(request))
    const refreshAtMs = Math.min(...parts.map((part) => part.refreshAtMs ?? Infinity))
    return {
      hostPath: request.memoryDirectory,
      ...kubeletWritten,
      ...(Number.isFinite(refreshAtMs) && { refreshAtMs }),
    }
  },
}

/** Users are told of everything that is missing at once. */
async function allOrReasons<Part>(tries: readonly Promise<Part>[]): Promise<readonly Part[]> {
  const results = await Promise.allSettled(tries)
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []))
  const [first] = reasons
  if (reasons.length === 1 && first) throw first
  if (reasons.length > 1) throw new Error(`[${reasons.map(({ message }) => message).join(', ')}]`)
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
}

interface ProjectedPart {
  readonly entries: PayloadEntries
  readonly refreshAtMs?: number
}

interface Projection {
  readonly request: VolumeRequest
  readonly defaultMode: number
  /** Which source of the volume it is. */
  readonly index: number
}

async function project(projection: Projection, source: VolumeProjection): Promise<ProjectedPart> {
  const { request, defaultMode } = projection
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = source
  if (configMap) {
    const { name = '', items, optional } = configMap
    return { entries: await configMapEntries(request, { name, items, optional, defaultMode }) }
  }
  if (secret) {
    const { name = '', items, optional } = secret
    return { entries: await secretEntries(request, { name, items, optional, defaultMode }) }
  }
  if (downwardAPI) return { entries: downwardEntries(request, downwardAPI.items, defaultMode) }
  if (serviceAccountToken) return projectToken(projection, serviceAccountToken)
  if (clusterTrustBundle) return projectBundle(projection, clusterTrustBundle)
  if (podCertificate) return projectCertificate(projection, podCertificate)
  return { entries: [] }
}

async function projectToken(
  projection: Projection,
  { audience = '', expirationSeconds = 3600, path }: ServiceAccountTokenProjection,
): Promise<ProjectedPart> {
  const { pod, tokens } = projection.request
  const { token, refreshAtMs } = await tokens.token(pod, { audience, expirationSeconds })
  return { entries: [[path, ownFile(projection, token)]], refreshAtMs }
}

async function projectBundle(projection: Projection, source: ClusterTrustBundleProjection): Promise<ProjectedPart> {
  const anchors = await trustAnchors(projection.request.objects, source)
  return { entries: [[source.path, ownFile(projection, anchors)]] }
}

async function projectCertificate(projection: Projection, source: PodCertificateProjection): Promise<ProjectedPart> {
  const { request, index } = projection
  const { pod, volume, objects, node } = request
  const { privateKey, chain, refreshAtMs } = await request.certificates.credentials({
    ...{ pod, objects, source },
    place: `${volume.name}/${index}`,
    ...(node && { nodeUid: node.metadata.uid }),
  })
  const { credentialBundlePath, keyPath, certificateChainPath } = source
  const files: readonly (readonly [string | undefined, string])[] = [
    [credentialBundlePath, privateKey + chain],
    [keyPath, privateKey],
    [certificateChainPath, chain],
  ]
  const entries = files.flatMap(([path, text]) => (path ? [[path, ownFile(projection, text)] as const] : []))
  return { entries, refreshAtMs }
}

/** Readable for the one user or group that the pod runs as, and nobody else (KEP-1205). */
function ownFile({ request, defaultMode }: Projection, text: string): PayloadFile {
  const { user, fsGroup } = fileOwnership(request.pod)
  const mode = user !== undefined || fsGroup !== undefined ? 0o600 : defaultMode
  return { data: Buffer.from(text, 'utf8'), mode, ...(user !== undefined && { user }) }
}
