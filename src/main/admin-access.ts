import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '#client/client.ts'
import { createClient } from '#client/create-client.ts'
import { httpsTransport } from '#client/https-transport.ts'
import type { ServerAccess } from '#client/kubeconfig.ts'
import { defaultDataDir } from '#host/layout.ts'
import { systemClock } from '#lib/clock.ts'

/** A client for one command, from a kubeconfig. */
export interface AdminAccess extends Disposable {
  readonly client: Client
  readonly access: ServerAccess
}

/** The file that was asked for, else the first of `$KUBECONFIG` that exists, else that of this machine's own cluster. */
export function kubeconfigPath(asked: string): string {
  if (asked !== '') return asked
  const listed = (process.env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '')
  return listed.find((path) => existsSync(path)) ?? listed[0] ?? join(defaultDataDir, 'kubeconfig')
}

/** Opens the cluster that a kubeconfig names. Throws one sentence where the file cannot be used. */
export async function openCluster(asked: string): Promise<AdminAccess> {
  const access = await read(kubeconfigPath(asked))
  const transport = httpsTransport({ ...access, clock: systemClock })
  return { client: createClient(transport), access, [Symbol.dispose]: () => transport.close() }
}

async function read(path: string): Promise<ServerAccess> {
  const { readKubeconfig } = await import('#client/kubeconfig.ts')
  try {
    return readKubeconfig(path)
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message
    throw new Error(`Cannot use the kubeconfig ${path}: ${why}`, { cause: error })
  }
}
