import type { ApiResponse } from '#api/meta/exchange.ts'
import { objectResponse } from '../encoding/responses.ts'

/** What `kubectl version` shows: the Kubernetes release whose API is served, with the product as build metadata. */
export const versionInfo = Object.freeze({
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: 'v1.36.2+coracle',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2026-11-21T00:00:00Z',
  goVersion: 'none',
  compiler: `node ${process.version}`,
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
})

export function version(): ApiResponse {
  return objectResponse(versionInfo)
}
