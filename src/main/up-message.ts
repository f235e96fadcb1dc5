import type { ApiChoice } from '#api/schema/served-apis.ts'
import type { NodeFiles } from './node-settings.ts'

/** What the background process is told. */
export interface UpSettings {
  readonly dataDir: string
  /** Empty: only the data directory's own. */
  readonly kubeconfigFile: string
  readonly port: number
  /** Empty: the host name. */
  readonly nodeName: string
  /** Empty: one usual profile. */
  readonly schedulerConfigFile: string
  readonly apis: ApiChoice
  /** What the command was started with. */
  readonly flags: Readonly<Record<string, string>>
  readonly nodeFiles: NodeFiles
}

/** What the cluster's process tells the command that started it. */
export type UpMessage =
  | { readonly type: 'step'; readonly text: string }
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly reason: string }
