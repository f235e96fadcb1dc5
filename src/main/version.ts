import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The Kubernetes release whose API and behaviour this is. */
export const kubernetesVersion = 'v1.36.2'

/** Coracle's own version, from package.json. */
export function coracleVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
