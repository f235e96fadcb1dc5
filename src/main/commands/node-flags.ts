import { resolve } from 'node:path'
import type { NodeFiles } from '../node-settings.ts'

const file = { type: 'string', default: '' } as const

/** The files that a node can be told to go by, for every command that runs one. */
export const nodeFlags = [
  {
    ...file,
    name: 'config',
    help: 'File with a KubeletConfiguration of kubelet.config.k8s.io/v1beta1 for the node (default: its defaults)',
  },
  {
    ...file,
    name: 'config-dir',
    help: 'Folder whose files *.conf, of the same kind, are merged onto --config in the order of their names',
  },
  {
    ...file,
    name: 'image-credential-provider-config',
    help: 'File with a CredentialProviderConfig: programs that know credentials of image registries (default: none)',
  },
  { ...file, name: 'image-credential-provider-bin-dir', help: 'Folder of the programs that the former names' },
] as const

/** The paths that were given, as another process in another folder can use them. */
export function nodeFilesOf(values: Readonly<Record<(typeof nodeFlags)[number]['name'], string>>): NodeFiles {
  const absolute = (path: string): string => (path === '' ? '' : resolve(path))
  return {
    configFile: absolute(values.config),
    configDir: absolute(values['config-dir']),
    credentialConfigFile: absolute(values['image-credential-provider-config']),
    credentialBinDir: absolute(values['image-credential-provider-bin-dir']),
  }
}

/** The same as words of a command line. */
export function nodeFileArguments({
  configFile,
  configDir,
  credentialConfigFile,
  credentialBinDir,
}: NodeFiles): readonly string[] {
  const [config, configFolder, providers, folder] = nodeFlags.map(({ name }) => name)
  return [
    `--${config}=${configFile}`,
    `--${configFolder}=${configDir}`,
    `--${providers}=${credentialConfigFile}`,
    `--${folder}=${credentialBinDir}`,
  ]
}
