import { readdir, readFile } from 'node:fs/promises'
import type { SystemFiles } from './read-topology.ts'

/** The files of this machine. */
export const linuxFiles: SystemFiles = {
  text: (path) => readFile(path, 'utf8').catch(() => undefined),
  names: (path) => readdir(path).catch(() => []),
}
