import { maxInt32, within } from '../../../meta/check-numbers.ts'
import { duplicate, invalidValue, notSupported, required, tooLong } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'
import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
  Sysctl,
} from '../../../types/core.v1.ts'
import { coreForm } from '../internal-types.ts'
import { validateDescendingPath } from './validate-path.ts'
import { validateWindowsOptions } from './validate-windows.ts'

/** The security context of a container. */
export function validateContainerSecurity(
  context: SecurityContext | undefined,
  pod: Pick<PodSpec, 'hostUsers'>,
  path: string,
): FieldError[] {
  if (context === undefined) return []
  const errors = [
    ...within(context.runAsUser, 0, maxInt32, `${path}.runAsUser`),
    ...within(context.runAsGroup, 0, maxInt32, `${path}.runAsGroup`),
    ...validateProcMount(context.procMount, pod, `${path}.procMount`),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
  ]
  if (context.allowPrivilegeEscalation === false) {
    const subject = 'cannot set `allowPrivilegeEscalation` to false and'
    if (context.privileged === true) {
      errors.push(invalidValue(path, contextForMessage(context), `${subject} \`privileged\` to true`))
    }
    for (const capability of context.capabilities?.add ?? []) {
      if (capability !== 'CAP_SYS_ADMIN') continue
      errors.push(invalidValue(path, contextForMessage(context), `${subject} \`capabilities.Add\` CAP_SYS_ADMIN`))
    }
  }
  return [
    ...errors,
    ...validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`),
    ...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`),
  ]
}

/** The security context of the whole pod, and what it shares with the node. */
export function validatePodSecurity(spec: PodSpec, path: string): FieldError[] {
  const { securityContext: context, hostPID, shareProcessNamespace } = spec
  const errors: FieldError[] = []
  if (context === undefined) return errors
  errors.push(
    ...within(context.fsGroup, 0, maxInt32, `${path}.fsGroup`),
    ...within(context.runAsUser, 0, maxInt32, `${path}.runAsUser`),
    ...within(context.runAsGroup, 0, maxInt32, `${path}.runAsGroup`),
  )
  for (const [index, group] of (context.supplementalGroups ?? []).entries()) {
    errors.push(...within(group, 0, maxInt32, `${path}.supplementalGroups[${index}]`))
  }
  if (shareProcessNamespace === true && hostPID === true) {
    const detail = 'ShareProcessNamespace and HostPID cannot both be enabled'
    errors.push(invalidValue(`${path}.shareProcessNamespace`, true, detail))
  }
  return [
    ...errors,
    ...validateSysctls(context, spec, `${path}.sysctls`),
    ...oneOf(context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], `${path}.fsGroupChangePolicy`),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
    ...validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`),
    ...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`),
    ...oneOf(context.supplementalGroupsPolicy, ['Merge', 'Strict'], `${path}.supplementalGroupsPolicy`),
    ...oneOf(context.seLinuxChangePolicy, ['MountOption', 'Recursive'], `${path}.seLinuxChangePolicy`),
  ]
}

function oneOf(value: string | undefined, allowed: readonly string[], path: string): FieldError[] {
  return value === undefined || allowed.includes(value) ? [] : [notSupported(path, value, allowed)]
}

const sysctlSegment = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const sysctlPattern = String.raw`^(${sysctlSegment}[\./])*${sysctlSegment}$`
const sysctlName = new RegExp(`^(?:${sysctlSegment}[./])*${sysctlSegment}$`)
const longestSysctl = 253

function validateSysctls({ sysctls }: PodSecurityContext, spec: PodSpec, path: string): FieldError[] {
  const seen = new Set<string>()
  return (sysctls ?? []).flatMap(({ name = '' }: Partial<Sysctl>, index) => {
    const at = `${path}[${index}].name`
    const errors: FieldError[] = []
    if (name === '') errors.push(required(at))
    else if (name.length > longestSysctl || !sysctlName.test(name)) {
      const detail = `must have at most ${longestSysctl} characters and match regex ${sysctlPattern}`
      errors.push(invalidValue(at, name, detail))
    } else if (seen.has(name)) errors.push(duplicate(at, name))
    seen.add(name)
    return [...errors, ...validateHostSysctl(name, spec, at)]
  })
}

/** A pod in a namespace of the node may not change what belongs to the node there. */
function validateHostSysctl(name: string, { hostNetwork, hostIPC }: PodSpec, path: string): FieldError[] {
  const dotted = /^[^./]*\//.test(name) ? name.replace(/[./]/g, (mark) => (mark === '/' ? '.' : '/')) : name
  if (hostNetwork === true && dotted.startsWith('net.')) {
    return [invalidValue(path, name, "may not be specified when 'hostNetwork' is true")]
  }
  if (hostIPC === true && /^(kernel\.sem$|kernel\.shm|kernel\.msg|fs\.mqueue\.)/.test(dotted)) {
    return [invalidValue(path, name, "may not be specified when 'hostIPC' is true")]
  }
  return []
}

function validateProcMount(
  procMount: string | undefined,
  { hostUsers }: Pick<PodSpec, 'hostUsers'>,
  path: string,
): FieldError[] {
  if (procMount === undefined || procMount === 'Default') return []
  if (procMount !== 'Unmasked') return [notSupported(path, procMount, ['Default', 'Unmasked'])]
  if (hostUsers === false) return []
  return [invalidValue(path, procMount, '`hostUsers` must be false to use `Unmasked`')]
}

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined']

function validateSeccomp(profile: SeccompProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return []
  const { localhostProfile: file, type = '' as string } = profile as Partial<SeccompProfile>
  const errors: FieldError[] = []
  if (type === '') errors.push(required(`${path}.type`, 'type is required when seccompProfile is set'))
  else if (!profileTypes.includes(type)) errors.push(notSupported(`${path}.type`, type, profileTypes))
  const at = `${path}.localhostProfile`
  if (type === 'Localhost') {
    if (file === undefined) errors.push(required(at, 'must be set when seccomp type is Localhost'))
    else errors.push(...validateDescendingPath(file, at))
  } else if (file !== undefined) {
    const shown = coreForm.of('Profile', profile)
    errors.push(invalidValue(at, shown, 'can only be set when seccomp type is Localhost'))
  }
  return errors
}

const longestProfile = 4095

/** AppArmor's rules, which are also those of its annotations. */
export function validateAppArmor(profile: AppArmorProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return []
  const { localhostProfile: file, type = '' as string } = profile as Partial<AppArmorProfile>
  const at = `${path}.localhostProfile`
  if (type === '') return [required(`${path}.type`, 'type is required when appArmorProfile is set')]
  if (!profileTypes.includes(type)) return [notSupported(`${path}.type`, type, profileTypes)]
  if (type !== 'Localhost') {
    return file === undefined ? [] : [invalidValue(at, file, 'can only be set when AppArmor type is Localhost')]
  }
  if (file === undefined) return [required(at, 'must be set when AppArmor type is Localhost')]
  const errors: FieldError[] = []
  if (file.trim() !== file) errors.push(invalidValue(at, file, 'must not be padded with whitespace'))
  else if (file === '') errors.push(required(at, 'must be set when AppArmor type is Localhost'))
  return Buffer.byteLength(file) > longestProfile ? [...errors, tooLong(at, longestProfile)] : errors
}

function contextForMessage(context: SecurityContext): unknown {
  return coreForm.of('SecurityContext', context)
}
