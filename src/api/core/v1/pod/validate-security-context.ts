import { maxInt32, within } from '../../../meta/check-numbers.ts'
import { forbiddenField, invalidValue, notSupported, required } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'
import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from '../../../types/core.v1.ts'

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
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      errors.push(invalidValue(path, contextForMessage(context), `${subject} \`capabilities.Add\` CAP_SYS_ADMIN`))
    }
  }
  return [...errors, ...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`)]
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
  errors.push(...validateSysctls(context, spec, `${path}.sysctls`), ...validatePolicies(context, path))
  errors.push(...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`))
  return [...errors, ...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`)]
}

function validatePolicies(context: PodSecurityContext, path: string): FieldError[] {
  return [
    ...oneOf(context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], `${path}.fsGroupChangePolicy`),
    ...oneOf(context.supplementalGroupsPolicy, ['Merge', 'Strict'], `${path}.supplementalGroupsPolicy`),
    ...oneOf(context.seLinuxChangePolicy, ['MountOption', 'Recursive'], `${path}.seLinuxChangePolicy`),
  ]
}

function oneOf(value: string | undefined, allowed: readonly string[], path: string): FieldError[] {
  return value === undefined || allowed.includes(value) ? [] : [notSupported(path, value, allowed)]
}

const sysctlFormat = String.raw`^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`
const sysctlName = new RegExp(sysctlFormat)

function validateSysctls(context: PodSecurityContext, spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [index, { name }] of (context.sysctls ?? []).entries()) {
    const at = `${path}[${index}].name`
    const dotted = name.replaceAll('/', '.')
    if (name === '') errors.push(required(at))
    else if (name.length > 253 || !sysctlName.test(name)) {
      const detail = `must have at most 253 characters and match regex ${sysctlFormat}`
      errors.push(invalidValue(at, name, detail))
    } else if (seen.has(dotted))
      errors.push({ type: 'FieldValueDuplicate', field: at, message: `Duplicate value: "${name}"` })
    else if (spec.hostNetwork === true && dotted.startsWith('net.')) {
      errors.push(invalidValue(at, name, 'may not be specified when `hostNetwork` is true'))
    } else if (spec.hostIPC === true && /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/.test(dotted)) {
      errors.push(invalidValue(at, name, 'may not be specified when `hostIPC` is true'))
    }
    seen.add(dotted)
  }
  return errors
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
  const file = profile.localhostProfile
  if (profile.type === 'Localhost') {
    if (file === undefined) return [required(`${path}.localhostProfile`, 'must be set when seccomp type is Localhost')]
    return validateLocalProfile(file, `${path}.localhostProfile`)
  }
  const errors: FieldError[] = []
  if (file !== undefined) {
    errors.push(invalidValue(`${path}.localhostProfile`, file, 'can only be set when seccomp type is Localhost'))
  }
  if (((profile.type as string) ?? '') === '')
    errors.push(required(`${path}.type`, 'type is required when seccompProfile is set'))
  else if (!profileTypes.includes(profile.type)) errors.push(notSupported(`${path}.type`, profile.type, profileTypes))
  return errors
}

function validateLocalProfile(file: string, path: string): FieldError[] {
  if (file.startsWith('/')) return [invalidValue(path, file, 'must be a relative path')]
  return file.split('/').includes('..') ? [invalidValue(path, file, "must not contain '..'")] : []
}

function validateAppArmor(profile: AppArmorProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return []
  const file = profile.localhostProfile
  if (!profileTypes.includes(profile.type)) return [notSupported(`${path}.type`, profile.type, profileTypes)]
  if (profile.type === 'Localhost') {
    if (file !== undefined && file.trim() !== '') return []
    return [required(`${path}.localhostProfile`, 'must be set when AppArmor type is Localhost')]
  }
  if (file === undefined) return []
  return [forbiddenField(`${path}.localhostProfile`, 'can only be set when AppArmor type is Localhost')]
}

/** The context as messages show it: every field, absent ones as null. */
function contextForMessage(context: SecurityContext): unknown {
  const { capabilities } = context
  return {
    Capabilities:
      capabilities === undefined ? null : { Add: capabilities.add ?? null, Drop: capabilities.drop ?? null },
    Privileged: context.privileged ?? null,
    SELinuxOptions: context.seLinuxOptions ?? null,
    WindowsOptions: context.windowsOptions ?? null,
    RunAsUser: context.runAsUser ?? null,
    RunAsGroup: context.runAsGroup ?? null,
    RunAsNonRoot: context.runAsNonRoot ?? null,
    ReadOnlyRootFilesystem: context.readOnlyRootFilesystem ?? null,
    AllowPrivilegeEscalation: context.allowPrivilegeEscalation ?? null,
    ProcMount: context.procMount ?? null,
    SeccompProfile: context.seccompProfile ?? null,
    AppArmorProfile: context.appArmorProfile ?? null,
  }
}
