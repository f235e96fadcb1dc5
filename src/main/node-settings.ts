import type { NodeOptions } from './node.ts'

/** The settings of a node with the configuration file; none for an empty path. Throws what is wrong with the file. */
export async function nodeSettings(path: string): Promise<Pick<NodeOptions, 'settings'>> {
  if (path === '') return {}
  const { loadConfiguration } = await import('#kubelet/configuration/load-configuration.ts')
  return { settings: await loadConfiguration(path) }
}
