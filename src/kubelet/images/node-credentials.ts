import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuthConfig } from '../cri/image.ts'
import { authsOfConfig, authsOfLegacyConfig, matchingAuths, mostSpecificFirst, type KeptAuth } from './docker-config.ts'

/** What the node itself may show to registries, whoever's pod it is. */
export interface NodeCredentials {
  /** The most specific first. Never throws: a pull without credentials may still succeed. */
  of(image: string): Promise<readonly AuthConfig[]>
}

export const noCredentials: NodeCredentials = { of: async () => [] }

/** Docker's configuration in any of the folders, read anew for each pull: administrators change it under way. */
export function dockerConfigCredentials(folders: readonly string[]): NodeCredentials {
  return {
    async of(image) {
      const found: KeptAuth[] = []
      for (const folder of folders) {
        const auths = {
          ...authsOfLegacyConfig(await text(join(folder, '.dockercfg'))),
          ...authsOfConfig(await text(join(folder, 'config.json'))),
        }
        found.push(...matchingAuths(auths, image))
      }
      return mostSpecificFirst(found).map(({ auth }) => auth)
    },
  }
}

async function text(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

/** Everything that several sources have, in their order. */
export function joinedCredentials(sources: readonly NodeCredentials[]): NodeCredentials {
  return {
    async of(image) {
      const all = await Promise.all(sources.map((source) => source.of(image)))
      return all.flat()
    },
  }
}
