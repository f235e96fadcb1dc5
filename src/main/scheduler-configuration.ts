import { readFileSync } from 'node:fs'
import type { SchedulerConfiguration } from '#scheduler/config/load-configuration.ts'

export const schedulerConfigFlag = {
  name: 'scheduler-config',
  type: 'string',
  default: '',
  help: 'A file with a KubeSchedulerConfiguration v1: profiles, plugins and their arguments, extenders',
} as const

/** Reads the file, if one is named. Throws one sentence where it cannot be used: a scheduler must not start otherwise. */
export async function schedulerConfiguration(file: string): Promise<SchedulerConfiguration | undefined> {
  if (file === '') return undefined
  const { loadConfiguration } = await import('#scheduler/config/load-configuration.ts')
  const { postToExtender: callExtender } = await import('#scheduler/extenders/post-to-extender.ts')
  const readFile = (path: string): string => readFileSync(path, 'utf8')
  try {
    return loadConfiguration(readFile(file), { readFile, callExtender })
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message
    throw new Error(`Cannot use the scheduler configuration ${file}: ${why}`, { cause: error })
  }
}
