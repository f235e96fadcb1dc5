import type { FileKeySelector } from '#api/types/core.v1.ts'
import type { VolumesOnHost } from '../volumes/pod-volumes.ts'
import { configError } from './container-start-error.ts'
import { EnvFileError, valueInEnvFile } from './parse-env-file.ts'

/** Reads a text file inside a folder of the node without leaving it; `undefined` when there is none. */
export type ReadInside = (folder: string, path: string) => Promise<string | undefined>

const maximumValueBytes = 32 * 1024

/**
 * A variable's value from a file in an `emptyDir` (API reference, FileKeySelector); `undefined` when it is optional and
 * not there. Throws the `ContainerStartError` that the container then waits with.
 */
export async function fileVariable(
  { volumeName, path, key, optional = false }: FileKeySelector,
  { volumes, readInside }: { readonly volumes: VolumesOnHost; readonly readInside: ReadInside },
): Promise<string | undefined> {
  const volume = volumes.get(volumeName)
  if (volume === undefined) throw configError(`failed to get host path for volume "${volumeName}"`)
  const text = await readInside(volume.hostPath, path).catch((error: Error) => {
    throw configError(`couldn't read env file "${path}" of volume "${volumeName}": ${error.message}`)
  })
  const value = text === undefined ? undefined : parsed(text, key, path)
  if (value !== undefined && Buffer.byteLength(value) > maximumValueBytes)
    throw configError(`environment variable value of key "${key}" in file "${path}" exceeds ${maximumValueBytes} bytes`)
  if (value !== undefined || optional) return value
  throw configError(`environment variable key "${key}" not found in file "${path}"`)
}

function parsed(text: string, key: string, path: string): string | undefined {
  try {
    return valueInEnvFile(text, key)
  } catch (error) {
    if (!(error instanceof EnvFileError)) throw error
    throw configError(`couldn't parse env file "${path}": ${error.message}`)
  }
}
