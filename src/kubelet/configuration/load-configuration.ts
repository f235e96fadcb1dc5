import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KubeletConfiguration } from './kubelet-configuration.ts'
import { settingsOf, type KubeletSettings } from './kubelet-settings.ts'
import { mergedFields } from './merge-configurations.ts'
import { readConfiguration } from './read-configuration.ts'
import { configurationErrors } from './validate-configuration.ts'

/** Absolute paths; empty: there is none. */
export interface ConfigurationFiles {
  readonly file: string
  /** Folder whose files `*.conf` are merged onto the file, in the order of their names. */
  readonly folder: string
}

/** Reads a configuration. Throws one sentence, as upstream's kubelet would, when the node must not start with it. */
export async function loadConfiguration({ file, folder }: ConfigurationFiles): Promise<KubeletSettings> {
  let configuration: KubeletConfiguration = {}
  if (file !== '') configuration = await load(file)
  for (const path of folder === '' ? [] : await dropIns(folder))
    configuration = mergedFields(configuration as object as Record<string, unknown>, { ...(await load(path)) })
  const errors = configurationErrors(configuration)
  if (errors.length > 0) {
    const list = errors.length === 1 ? errors.join() : `[${errors.join(', ')}]`
    throw new Error(`failed to validate kubelet configuration, error: ${list}, path: ${file || folder}`)
  }
  return settingsOf(configuration)
}

async function dropIns(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new Error(
      `failed to merge kubelet configs: failed to walk through kubelet dropin directory: ${messageOf(error)}`,
    )
  })
  return names
    .filter((name) => name.endsWith('.conf'))
    .sort()
    .map((name) => join(folder, name))
}

async function load(path: string): Promise<KubeletConfiguration> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw failure(path, `failed to read kubelet config file "${path}", error: ${messageOf(error)}`)
  })
  try {
    return readConfiguration(text)
  } catch (error) {
    throw failure(path, messageOf(error))
  }
}

function failure(path: string, message: string): Error {
  return new Error(`failed to load kubelet config file, path: ${path}, error: ${message}`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
