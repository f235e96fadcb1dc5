import * as baseline from './baseline-checks.ts'
import type { PodCheck, PodParts } from './pod-parts.ts'
import * as restricted from './restricted-checks.ts'

export type Level = 'privileged' | 'baseline' | 'restricted'

/** The checks of each level in the order in which violations are told (documentation page "Pod Security Standards"). */
const checks: Readonly<Record<Level, readonly PodCheck[]>> = {
  privileged: [],
  baseline: [
    baseline.appArmorProfile,
    baseline.capabilitiesBaseline,
    baseline.hostNamespaces,
    baseline.hostPathVolumes,
    baseline.hostPorts,
    baseline.hostProbes,
    baseline.privileged,
    baseline.procMountBaseline,
    baseline.seLinuxOptions,
    baseline.seccompProfileBaseline,
    baseline.sysctls,
    baseline.windowsHostProcess,
  ],
  restricted: [
    baseline.appArmorProfile,
    baseline.hostNamespaces,
    baseline.hostPorts,
    baseline.hostProbes,
    baseline.privileged,
    baseline.seLinuxOptions,
    baseline.sysctls,
    baseline.windowsHostProcess,
    restricted.allowPrivilegeEscalation,
    restricted.capabilitiesRestricted,
    baseline.procMountRestricted,
    restricted.restrictedVolumes,
    restricted.runAsNonRoot,
    restricted.runAsUser,
    restricted.seccompProfileRestricted,
  ],
}

/** What the pod violates, as `reason (detail), reason (detail)`; empty when it obeys the level. */
export function violations(pod: PodParts, level: Level): string {
  const found = checks[level].map((check) => check(pod)).filter((violation) => violation !== undefined)
  return found.map(({ reason, detail }) => `${reason} (${detail})`).join(', ')
}
