import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseYaml } from '#lib/yaml.ts'
import type { HttpsTransportOptions } from './https-transport.ts'

/** What a kubeconfig or a pod's surroundings say about reaching a server. */
export type ServerAccess = Pick<
  HttpsTransportOptions,
  'server' | 'ca' | 'certificate' | 'key' | 'token' | 'tlsServerName' | 'insecureSkipTlsVerify'
> & {
  /** The context's namespace; `default` if it names none. */
  readonly namespace: string
}

/** The file is missing a part, or asks for something that is not supported. */
export class KubeconfigError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'KubeconfigError'
  }
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads the access that a kubeconfig's context describes, the current one unless told. Certificates, keys and tokens
 * may be embedded or in files beside it. Throws `KubeconfigError` in one sentence; file errors pass through.
 */
export function readKubeconfig(path: string, options: { readonly context?: string } = {}): ServerAccess {
  return accessFrom(readFileSync(path, 'utf8'), { ...options, directory: dirname(resolve(path)) })
}

/** The same for the text of a kubeconfig; relative file names start at `directory`. */
export function accessFrom(
  text: string,
  options: { readonly context?: string; readonly directory: string },
): ServerAccess {
  const config = fieldsOf(parseYaml(text).value, 'The kubeconfig')
  const name = options.context ?? textIn(config, 'current-context')
  if (name === undefined || name === '') throw new KubeconfigError('The kubeconfig names no current context')
  const context = entry(config, 'context', name)
  const cluster = entry(config, 'cluster', textIn(context, 'cluster') ?? '')
  const user = textIn(context, 'user') === undefined ? {} : entry(config, 'user', textIn(context, 'user') ?? '')
  const server = textIn(cluster, 'server')
  if (server === undefined) throw new KubeconfigError(`The cluster of context "${name}" has no server`)
  const read = (fields: Fields, field: string): string | undefined => material(fields, field, options.directory)
  return withoutAbsent({
    server,
    namespace: textIn(context, 'namespace') ?? 'default',
    ca: read(cluster, 'certificate-authority'),
    tlsServerName: textIn(cluster, 'tls-server-name'),
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'] === true ? true : undefined,
    certificate: read(user, 'client-certificate'),
    key: read(user, 'client-key'),
    token: tokenOf(user, options.directory),
  })
}

/** The first cluster in a kubeconfig text: how cluster discovery publishes one, without users and contexts. */
export function clusterIn(text: string): Pick<ServerAccess, 'server' | 'ca'> | undefined {
  const { clusters } = fieldsOf(parseYaml(text).value, 'The kubeconfig')
  const [first] = Array.isArray(clusters) ? (clusters as readonly Fields[]) : []
  if (first === undefined) return undefined
  const cluster = fieldsOf(first['cluster'], 'The cluster')
  const data = textIn(cluster, 'certificate-authority-data') ?? ''
  return {
    server: textIn(cluster, 'server') ?? '',
    ...(data !== '' && { ca: Buffer.from(data, 'base64').toString('utf8') }),
  }
}

const accountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The access of a process in a pod. Throws `KubeconfigError` outside of one. */
export function inClusterAccess(
  environment: Readonly<Record<string, string | undefined>>,
  directory: string = accountDirectory,
): ServerAccess {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment
  if (!host || !port)
    throw new KubeconfigError('This process does not run in a pod: KUBERNETES_SERVICE_HOST is not set')
  const tokenFile = resolve(directory, 'token')
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    namespace: readFileSync(resolve(directory, 'namespace'), 'utf8').trim(),
    ca: readFileSync(resolve(directory, 'ca.crt'), 'utf8'),
    token: fileToken(tokenFile),
  }
}

/** The kubelet renews token files in place, so the file is read again when the server refuses what it held. */
function fileToken(path: string): NonNullable<ServerAccess['token']> {
  let held: string | undefined
  return ({ refresh }) => {
    if (held === undefined || refresh) held = readFileSync(path, 'utf8').trim()
    return held
  }
}

function tokenOf(user: Fields, directory: string): ServerAccess['token'] | undefined {
  for (const unsupported of ['exec', 'auth-provider', 'username']) {
    if (user[unsupported] === undefined) continue
    throw new KubeconfigError(`The kubeconfig asks for credentials by "${unsupported}", which is not supported`)
  }
  const file = textIn(user, 'tokenFile')
  if (file !== undefined) return fileToken(resolve(directory, file))
  const token = textIn(user, 'token')
  return token === undefined ? undefined : () => token
}

/** PEM text from `<field>-data`, in base64, or from the file that `<field>` names. */
function material(fields: Fields, field: string, directory: string): string | undefined {
  const data = textIn(fields, `${field}-data`)
  if (data !== undefined && data !== '') return Buffer.from(data, 'base64').toString('utf8')
  const file = textIn(fields, field)
  return file === undefined || file === '' ? undefined : readFileSync(resolve(directory, file), 'utf8')
}

function entry(config: Fields, kind: 'cluster' | 'context' | 'user', name: string): Fields {
  const list = config[`${kind}s`]
  const found = Array.isArray(list) ? list.find((each: Fields) => each?.name === name) : undefined
  if (found === undefined) throw new KubeconfigError(`The kubeconfig has no ${kind} named "${name}"`)
  return fieldsOf((found as Fields)[kind] ?? {}, `The ${kind} "${name}"`)
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new KubeconfigError(`${what} is not a map of fields`)
}

function textIn(fields: Fields, name: string): string | undefined {
  const value = fields[name]
  return typeof value === 'string' ? value : undefined
}

function withoutAbsent(access: { readonly [Key in keyof ServerAccess]: ServerAccess[Key] | undefined }): ServerAccess {
  const present = Object.entries(access).filter(([, value]) => value !== undefined)
  return Object.fromEntries(present) as unknown as ServerAccess
}
