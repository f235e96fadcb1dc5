import * as baseline from './baseline-checks.ts'
import type { PodCheck, PodParts, Violation } from './pod-parts.ts'
import * as restricted from './restricted-checks.ts'

export type Level = 'privileged' | 'baseline' | 'restricted'

/** A check and the minor version of Kubernetes 1 that brought it, or that another check took its place in. */
interface VersionedCheck {
  readonly check: PodCheck
  readonly since: number
  readonly before?: number
}

const always = (check: PodCheck): VersionedCheck => ({ check, since: 0 })
const since = (minor: number, check: PodCheck): VersionedCheck => ({ check, since: minor })
const before = (minor: number, check: PodCheck): VersionedCheck => ({ check, since: 0, before: minor })

/** The checks of each level in the order in which violations are told (documentation page "Pod Security Standards"). */
const checks: Readonly<Record<Level, readonly VersionedCheck[]>> = {
  privileged: [],
  baseline: [
    always(baseline.appArmorProfile),
    always(baseline.capabilitiesBaseline),
    always(baseline.hostNamespaces),
    always(baseline.hostPathVolumes),
    always(baseline.hostPorts),
    since(34, baseline.hostProbes),
    always(baseline.privileged),
    always(baseline.procMountBaseline),
    always(baseline.seLinuxOptions),
    always(baseline.seccompProfileBaseline),
    always(baseline.sysctls),
    always(baseline.windowsHostProcess),
  ],
  restricted: [
    always(baseline.appArmorProfile),
    before(22, baseline.capabilitiesBaseline),
    always(baseline.hostNamespaces),
    always(baseline.hostPorts),
    since(34, baseline.hostProbes),
    always(baseline.privileged),
    always(baseline.seLinuxOptions),
    before(19, baseline.seccompProfileBaseline),
    always(baseline.sysctls),
    always(baseline.windowsHostProcess),
    since(8, restricted.allowPrivilegeEscalation),
    since(22, restricted.capabilitiesRestricted),
    always(baseline.procMountRestricted),
    always(restricted.restrictedVolumes),
    always(restricted.runAsNonRoot),
    since(23, restricted.runAsUser),
    since(19, restricted.seccompProfileRestricted),
  ],
}

/** What the pod violates of the standard as it was in that minor version, in order. */
export function violationsOf(pod: PodParts, level: Level, minor: number): readonly Violation[] {
  return checks[level]
    .filter((row) => row.since <= minor && minor < (row.before ?? Number.POSITIVE_INFINITY))
    .map(({ check }) => check(pod, minor))
    .filter((violation) => violation !== undefined)
}

/** The same as text, `reason (detail), reason (detail)`; empty when the pod obeys the level. */
export function violations(pod: PodParts, level: Level, minor: number): string {
  return violationsOf(pod, level, minor)
    .map(({ reason, detail }) => `${reason} (${detail})`)
    .join(', ')
}
