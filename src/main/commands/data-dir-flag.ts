import { defaultDataDir } from '#host/layout.ts'

/** Names the cluster of this machine that a command is about. */
export const dataDirFlag = {
  name: 'data-dir',
  type: 'string',
  default: defaultDataDir,
  help: 'The data directory the cluster was started with',
} as const
