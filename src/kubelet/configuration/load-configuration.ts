import { readFile } from 'node:fs/promises'
import { configurationErrors } from './validate-configuration.ts'
import { settingsOf, type KubeletSettings } from './kubelet-settings.ts'
import { readConfiguration } from './read-configuration.ts'

/** Reads a configuration file. Throws one sentence, as upstream's kubelet would, when the node must not start with it. */
export async function loadConfiguration(path: string): Promise<KubeletSettings> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw failure(path, `failed to read kubelet config file "${path}", error: ${messageOf(error)}`)
  })
  const configuration = readOrFail(path, text)
  const errors = configurationErrors(configuration)
  if (errors.length > 0) {
    const list = errors.length === 1 ? errors.join() : `[${errors.join(', ')}]`
    throw new Error(`failed to validate kubelet configuration, error: ${list}, path: ${path}`)
  }
  return settingsOf(configuration)
}

function readOrFail(path: string, text: string): ReturnType<typeof readConfiguration> {
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
