import { isIP } from 'node:net'
import { dayOf, tokenTracking } from '#api/core/v1/legacy-token.ts'
import type { ApiHandler, UserInfo } from '#api/meta/exchange.ts'
import type { Catalog } from '#api/schema/catalog.ts'
import { chooseApis, usualApis, type ApiChoice, type ServedApis } from '#api/schema/served-apis.ts'
import type { Secret } from '#api/types/core.v1.ts'
import { configMaps } from '#api/types/resources.ts'
import { httpsWebhookCaller } from '#apiserver/webhooks/webhook-caller.ts'
import { httpsExtensionDialer } from '#apiserver/aggregation/extension-dialer.ts'
import { builtInServices } from '#apiserver/aggregation/local-services.ts'
import { admissionPlugins } from '#apiserver/admission/plugins.ts'
import { createAuthenticators, tokenAuthenticators } from '#apiserver/authn/authenticators.ts'
import { TokenUses } from '#apiserver/authn/token-uses.ts'
import type { FrontProxyTrust } from '#apiserver/authn/front-proxy.ts'
import { peerIdentity } from '#apiserver/authn/peer-certificate.ts'
import { createAuthorizers } from '#apiserver/authz/authorizers.ts'
import { GrantIndex } from '#apiserver/authz/rbac-grants.ts'
import { bootstrap } from '#apiserver/bootstrap/bootstrap.ts'
import type { BootstrapObject } from '#apiserver/bootstrap/bootstrap-store.ts'
import { keepObjects } from '#apiserver/bootstrap/keep-objects.ts'
import { serverObjects } from '#apiserver/bootstrap/server-objects.ts'
import { loadOrCreatePki, type Pki } from '#apiserver/certificates/pki.ts'
import { listen, type Listener } from '#apiserver/listener.ts'
import { createApiServer, type ApiServer } from '#apiserver/server.ts'
import { httpsKubeletDialer, type KubeletDialer } from '#apiserver/streaming/kubelet-dialer.ts'
import { createNodeConnections } from '#apiserver/streaming/node-connections.ts'
import { tokenKey } from '#apiserver/tokens/jwt.ts'
import { createTokenIssuer } from '#apiserver/tokens/token-issuer.ts'
import type { Client } from '#client/client.ts'
import { createClient } from '#client/create-client.ts'
import { inProcessTransport } from '#client/in-process-transport.ts'
import { autoCompact } from '#storage/auto-compact.ts'
import { formatTime } from '#lib/clock.ts'
import { deepFreeze } from '#lib/deep-freeze.ts'
import type { Store } from '#storage/store.ts'
import { clusterInfoObjects } from './cluster-info.ts'
import { componentHealth } from './component-health.ts'
import { DebugPaths } from './debug-paths.ts'
import type { Effects } from './effects.ts'
import { identities } from './identities.ts'
import { listenFailure } from './listen-failure.ts'
import { metricsApi } from './metrics-api.ts'
import { isShared, openStore, type StorageChoice } from './open-store.ts'
import { ownRoles } from './own-roles.ts'
import { ranges } from './ranges.ts'
import { confirmSharedKeys } from './shared-keys.ts'

export interface ControlPlaneOptions {
  readonly dataDir: string
  readonly storage: StorageChoice
  /** Which APIs to serve; absent: the usual ones. */
  readonly apis?: ApiChoice
  /** What the command was started with, for people to see. */
  readonly flags?: Readonly<Record<string, string>>
  /** Whose headers say who asks; absent: nobody's. */
  readonly frontProxy?: FrontProxyTrust
  readonly bindAddress: string
  readonly port: number
  /** Where pods and nodes reach the API server. */
  readonly advertiseAddress: string
  /** More names and addresses under which it is reached: its certificate carries them. */
  readonly alternativeNames?: readonly string[]
}

/** The API server with its store and keys, in this process. */
export interface ControlPlane {
  readonly pki: Pki
  readonly port: number
  /** What is served. */
  readonly catalog: Catalog
  /** A client in this process that acts as `user`; objects record its writes under the name of `component`. */
  clientAs(user: UserInfo, component?: string): Client
  readonly debugPaths: DebugPaths
  close(): Promise<void>
}

const issuer = 'https://kubernetes.default.svc.cluster.local'

/** Starts the API server; resolves when it answers on its port. Rejects with one clear sentence, nothing left open. */
export async function startControlPlane(options: ControlPlaneOptions, effects: Effects): Promise<ControlPlane> {
  const store = await openStore(options.storage, options.dataDir, effects)
  try {
    return await serveStore(store, options, effects)
  } catch (error) {
    await store.close()
    throw error
  }
}

async function serveStore(store: Store, options: ControlPlaneOptions, effects: Effects): Promise<ControlPlane> {
  const pki = loadPki(options, effects)
  if (isShared(options.storage)) await confirmSharedKeys(store, pki, options.dataDir)
  const debugPaths = new DebugPaths()
  const apis = options.apis === undefined ? usualApis() : chooseApis(options.apis)
  const { catalog } = apis
  const server = createServer(store, pki, { ...options, apis }, effects, debugPaths)
  await server.start()
  const about = {
    addresses: [options.advertiseAddress],
    port: options.port,
    clientCa: pki.ca.certificate,
    frontProxyCa: pki.frontProxy.authority.certificate,
    nowMs: effects.clock.now(),
  }
  await bootstrap(server.bootstrap, { ...about, catalog })
  const url = `https://${options.advertiseAddress}:${options.port}`
  await server.bootstrap.ensure([
    ...builtInServices(catalog, formatTime(effects.clock.now())),
    ...ownRoles(),
    trackingSince(effects.clock.now()),
    ...clusterInfoObjects({ server: url, authority: pki.ca.certificate }),
  ])
  const listener = await listenOn(server, pki, options, effects)
  const handle: ApiHandler = server.handle
  const stopping = new AbortController()
  const { signal } = stopping
  const keeping = keepObjects({ handle, bootstrap: server.bootstrap, ...effects, signal }, serverObjects(about))
  const compaction = autoCompact(store, { ...effects, signal })
  return {
    pki,
    catalog,
    port: listener.port,
    debugPaths,
    clientAs: (user, component) => createClient(inProcessTransport(handle, user, component)),
    async close() {
      stopping.abort()
      await Promise.all([keeping, compaction])
      await server.close()
      await listener.close()
      await store.close()
    },
  }
}

/** From when on the uses of tokens in secrets are written down. */
function trackingSince(nowMs: number): BootstrapObject {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: tokenTracking, data: { since: dayOf(nowMs) } }
  return { resource: configMaps, object }
}

function loadPki(options: ControlPlaneOptions, { clock, random }: Effects): Pki {
  const { advertiseAddress, bindAddress, alternativeNames = [] } = options
  const named = [advertiseAddress, bindAddress, ...alternativeNames].filter((name) => !/^(0\.0\.0\.0|::)$/.test(name))
  const ips = named.filter((name) => isIP(name) !== 0)
  const names = named.filter((name) => isIP(name) === 0)
  return loadOrCreatePki(options.dataDir, { clock, random, names, ips, serviceIp: ranges.kubernetesService })
}

function createServer(
  store: Store,
  pki: Pki,
  options: Omit<ControlPlaneOptions, 'apis'> & { readonly apis: ServedApis },
  effects: Effects,
  debugPaths: DebugPaths,
): ApiServer {
  const { clock, random } = effects
  const key = tokenKey(pki.serviceAccountKey.privateKey)
  const keys = [key]
  const serverUrl = `https://${options.advertiseAddress}:${options.port}`
  const audiences = [issuer]
  const log = effects.log.with({ component: 'apiserver' })
  const uses = new TokenUses({ clock, log, handle: (request) => server.handle(request) })
  const used = (secret: Secret): void => uses.note(secret)
  const server = createApiServer({
    store,
    ...effects,
    log,
    apis: options.apis,
    ...(options.flags && { flags: options.flags }),
    freeze: process.env['CORACLE_FREEZE'] === 'deep' ? deepFreeze : Object.freeze,
    authenticators: (reader) => createAuthenticators({ reader, clock, keys, issuer, audiences, used }),
    authorizers: createAuthorizers,
    admission: admissionPlugins,
    callWebhook: httpsWebhookCaller(),
    extensions: httpsExtensionDialer(pki.frontProxy.client),
    morePaths: debugPaths.answer,
    moreMetrics: debugPaths.metrics,
    components: (reader) => componentHealth({ reader, clock, debugPaths }),
    localApis: (reader) => [
      metricsApi(reader, () => createClient(inProcessTransport(server.handle, identities.metrics)), effects),
    ],
    tokens: (reader) => createTokenIssuer({ reader, clock, random, key, issuer, audiences, serverUrl }),
    connections: (reader, authorizers) =>
      createNodeConnections({ reader, authorizers, dialer: dialerOf(pki, effects), random, log }),
    reviews: (reader, authorizers) => {
      const tokens = tokenAuthenticators({ reader, clock, keys, issuer, audiences, used })
      return { authorizers, grants: new GrantIndex(reader), tokens, audiences, clock }
    },
  })
  return server
}

/** Presents the server to kubelets, and trusts those that the cluster's authority signed for. */
function dialerOf(pki: Pki, { clock }: Effects): KubeletDialer {
  const { certificate, key } = pki.kubeletClient
  return httpsKubeletDialer({ clock, ca: pki.ca.certificate, certificate, key })
}

async function listenOn(
  server: ApiServer,
  pki: Pki,
  options: ControlPlaneOptions,
  effects: Effects,
): Promise<Listener> {
  const { frontProxy: trust } = options
  const clientCa = pki.ca.certificate
  try {
    return await listen({
      server,
      host: options.bindAddress,
      port: options.port,
      certificate: pki.serving.certificate,
      key: pki.serving.key,
      clientCa,
      ...(trust && { frontProxyCa: trust.ca }),
      peerIdentity: peerIdentity(effects.clock, trust && { clientCa, trust }),
      upgrade: server.upgrade,
      log: effects.log.with({ component: 'apiserver' }),
    })
  } catch (error) {
    await server.close()
    throw listenFailure(error, `${options.bindAddress}:${options.port}`)
  }
}
