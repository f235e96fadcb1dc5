import type { ResourceRow } from '#api/schema/shapes.ts'
import type { UserInfo } from '#api/meta/exchange.ts'
import { isPlainObject } from '#api/schema/own-member.ts'
import type { ExtensionDialer, ExtensionTarget } from './extension-dialer.ts'
import { identityHeaders } from './identity-headers.ts'
import { readText } from './proxy-request.ts'
import type { RemoteService } from './remote-services.ts'

/** What an extension API server says that it serves. */
export interface RemoteVersion {
  readonly rows: readonly ResourceRow[]
  /** The hash of its OpenAPI 3 document; empty where it has none. */
  readonly openApiHash: string
}

/** Who asks extensions what they serve: they must allow it whatever their rules are. */
const aggregator: UserInfo = { name: 'system:kube-aggregator', groups: ['system:masters'] }
const timeoutMs = 5_000

/** Asks an extension what it serves of one version. Throws an Error that says why it cannot tell. */
export async function askDiscovery(
  { spec }: RemoteService,
  target: ExtensionTarget,
  dialer: ExtensionDialer,
): Promise<RemoteVersion> {
  const groupVersion = `${spec.group ?? ''}/${spec.version ?? ''}`
  const list = await askJson(`/apis/${groupVersion}`, target, dialer)
  const resources = isPlainObject(list) && Array.isArray(list['resources']) ? (list['resources'] as ResourceRow[]) : []
  return {
    rows: resources.map((row) => ({ ...row, groupVersion })),
    openApiHash: await askHash(groupVersion, target, dialer),
  }
}

async function askHash(groupVersion: string, target: ExtensionTarget, dialer: ExtensionDialer): Promise<string> {
  try {
    const index = (await askJson('/openapi/v3', target, dialer)) as {
      paths?: Readonly<Record<string, { serverRelativeURL?: string }>>
    }
    const url = index.paths?.[`apis/${groupVersion}`]?.serverRelativeURL ?? ''
    return /[?&]hash=([^&]+)/.exec(url)?.[1] ?? ''
  } catch {
    // Without a description its resources are served all the same.
    return ''
  }
}

/** A JSON document of an extension. Throws an Error for any other answer. */
export async function askJson(path: string, target: ExtensionTarget, dialer: ExtensionDialer): Promise<unknown> {
  const url = `https://${target.host}:${target.port}${path}`
  const fail = (why: string, cause?: unknown): Error =>
    new Error(`failing or missing response from ${url}: ${why}`, { cause })
  const headers = { accept: 'application/json', ...identityHeaders(aggregator) }
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const response = await dialer.send(target, { method: 'GET', path, headers, signal })
    const text = await readText(response)
    const status = response.statusCode ?? 0
    if (status < 200 || status >= 300) throw new Error(`bad status from ${url}: ${status}`)
    return JSON.parse(text) as unknown
  } catch (error) {
    const why = signal.aborted ? 'context deadline exceeded' : (error as Error).message
    throw fail(why.startsWith('bad status') ? why : `Get ${JSON.stringify(url)}: ${why}`, error)
  }
}
