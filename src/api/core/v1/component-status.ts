import { defineKind } from '../../kind.ts'
import type { ComponentStatus } from '../../types/core.v1.ts'

/** How a part of the control plane fares; never stored. */
export const componentStatus = defineKind<ComponentStatus>({
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  hasGeneration: false,
  cells({ metadata, conditions = [] }) {
    const healthy = conditions.find(({ type }) => type === 'Healthy')
    const words: Readonly<Record<string, string>> = { True: 'Healthy', False: 'Unhealthy' }
    return [metadata.name, words[healthy?.status ?? ''] ?? 'Unknown', healthy?.message ?? '', healthy?.error ?? '']
  },
})
