import type { ServiceAccountTokenProjection, VolumeProjection } from '#api/types/core.v1.ts'
import { writePayload } from './atomic-writer.ts'
import { kubeletWritten, writeOptions } from './config-map.ts'
import { fileOwnership } from './ownership.ts'
import { configMapEntries, downwardEntries, secretEntries, type PayloadEntries } from './payload-sources.ts'
import type { VolumePlugin, VolumeRequest } from './volume-plugin.ts'

/** Several sources in one folder, in memory, kept current; tokens are renewed before they end. */
export const projectedVolume: VolumePlugin = {
  type: 'projected',
  isLive: true,
  async setUp(request) {
    const { sources = [], defaultMode = 0o644 } = request.volume.projected ?? {}
    const parts = await allOrReasons(sources.map((source) => project(request, source, defaultMode)))
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

async function project(request: VolumeRequest, source: VolumeProjection, defaultMode: number): Promise<ProjectedPart> {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source
  if (configMap) {
    const { name = '', items, optional } = configMap
    return { entries: await configMapEntries(request, { name, items, optional, defaultMode }) }
  }
  if (secret) {
    const { name = '', items, optional } = secret
    return { entries: await secretEntries(request, { name, items, optional, defaultMode }) }
  }
  if (downwardAPI) return { entries: downwardEntries(request, downwardAPI.items, defaultMode) }
  if (serviceAccountToken) return projectToken(request, serviceAccountToken, defaultMode)
  const [type = ''] = Object.keys(source)
  // Neither API is served by a v1.36 cluster that has not asked for them.
  throw new Error(`projected source ${type} is not supported: the cluster does not serve its API`)
}

async function projectToken(
  { pod, tokens }: VolumeRequest,
  { audience = '', expirationSeconds = 3600, path }: ServiceAccountTokenProjection,
  defaultMode: number,
): Promise<ProjectedPart> {
  const { token, refreshAtMs } = await tokens.token(pod, { audience, expirationSeconds })
  const { user, fsGroup } = fileOwnership(pod)
  // Readable for the one user or group that the pod runs as, and nobody else (KEP-1205).
  const mode = user !== undefined || fsGroup !== undefined ? 0o600 : defaultMode
  const file = { data: Buffer.from(token, 'utf8'), mode, ...(user !== undefined && { user }) }
  return { entries: [[path, file]], refreshAtMs }
}
