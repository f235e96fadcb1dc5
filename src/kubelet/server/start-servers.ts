import { startKubeletServer, type KubeletServer } from './kubelet-server.ts'
import { listenPlainly, type PlainServer } from './plain-server.ts'
import { answerOpenly } from './read-only-server.ts'
import type { KubeletServerContext } from './server-context.ts'

/** All servers of a node: the one that knows its callers, and those for everybody where the configuration wants them. */
export async function startServers(context: KubeletServerContext): Promise<KubeletServer> {
  const main = await startKubeletServer(context)
  const others: PlainServer[] = []
  const close = async (): Promise<void> => {
    await Promise.all([main, ...others].map((each) => each.close()))
  }
  try {
    const readOnly = await startReadOnly(context)
    if (readOnly !== undefined) others.push(readOnly)
  } catch (error) {
    await close()
    throw error
  }
  const health = await startHealth(context)
  if (health !== undefined) others.push(health)
  return { port: main.port, close }
}

async function startReadOnly(context: KubeletServerContext): Promise<PlainServer | undefined> {
  const { readOnlyPort: port = 0 } = context.settings.configuration
  if (port === 0) return undefined
  try {
    return await listenPlainly({ address: context.address, port }, (request, response) => {
      void answerOpenly(context, request, response)
    })
  } catch (error) {
    throw new Error(`Cannot listen on readOnlyPort ${port}: ${(error as NodeJS.ErrnoException).code}`, { cause: error })
  }
}

/** A node whose health cannot be asked for works as well as any other. */
async function startHealth({ settings, log }: KubeletServerContext): Promise<PlainServer | undefined> {
  const { healthzPort: port, healthzBindAddress: address } = settings.configuration
  if (port === 0) return undefined
  try {
    return await listenPlainly({ address, port }, ({ url }, response) => {
      const isHealth = url?.split('?')[0] === '/healthz'
      response.writeHead(isHealth ? 200 : 404, { 'content-type': 'text/plain; charset=utf-8' })
      response.end(isHealth ? 'ok' : '404 page not found\n')
    })
  } catch (error) {
    log.warn('Failed to start healthz server', { address, port, code: (error as NodeJS.ErrnoException).code })
    return undefined
  }
}
