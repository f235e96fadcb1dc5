import type { NodeOptions } from './node.ts'

/** Absolute paths of what a node goes by; empty: there is none. */
export interface NodeFiles {
  /** The kubelet's configuration. */
  readonly configFile: string
  /** Folder of files that are merged onto it. */
  readonly configDir: string
  /** Which programs know credentials, and where they are. */
  readonly credentialConfigFile: string
  readonly credentialBinDir: string
}

/** What the files make of a node. Throws what is wrong with them. */
export async function nodeSettings(files: NodeFiles): Promise<Pick<NodeOptions, 'settings' | 'credentialProviders'>> {
  const { configFile, configDir, credentialConfigFile, credentialBinDir: binDir } = files
  const providers =
    credentialConfigFile === '' ? {} : { credentialProviders: { configFile: credentialConfigFile, binDir } }
  if (configFile === '' && configDir === '') return providers
  const { loadConfiguration } = await import('#kubelet/configuration/load-configuration.ts')
  return { settings: await loadConfiguration({ file: configFile, folder: configDir }), ...providers }
}
