import { forbiddenField, invalidForEach, invalidValue } from '../../../meta/field-errors.ts'
import { dnsSubdomain } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { PodSpec, SecurityContext, WindowsSecurityContextOptions } from '../../../types/core.v1.ts'
import { containersWithPath } from './containers-with-path.ts'

/** What Windows has instead of user numbers. */
export function validateWindowsOptions(options: WindowsSecurityContextOptions | undefined, path: string): FieldError[] {
  const { gmsaCredentialSpecName: specName, gmsaCredentialSpec: spec, runAsUserName } = options ?? {}
  const errors =
    specName === undefined ? [] : invalidForEach(`${path}.gmsaCredentialSpecName`, specName, dnsSubdomain(specName))
  if (spec !== undefined) errors.push(...validateCredentialSpec(spec, `${path}.gmsaCredentialSpec`))
  if (runAsUserName === undefined) return errors
  return [...errors, ...invalidForEach(`${path}.runAsUserName`, runAsUserName, userNameProblems(runAsUserName))]
}

const longestCredentialKib = 64

function validateCredentialSpec(spec: string, path: string): FieldError[] {
  if (spec === '') return [invalidValue(path, spec, 'gmsaCredentialSpec cannot be an empty string')]
  if (Buffer.byteLength(spec) <= longestCredentialKib * 1024) return []
  return [invalidValue(path, spec, `gmsaCredentialSpec size must be under ${longestCredentialKib} KiB`)]
}

const longestDomain = 256
const longestUser = 104
const netBiosName = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/
const dnsName = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/

function userNameProblems(name: string): readonly string[] {
  if (name === '') return ['runAsUserName cannot be an empty string']
  if (/\p{Cc}/u.test(name)) return ['runAsUserName cannot contain control characters']
  const parts = name.split('\\')
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash']
  const user = parts.at(-1) ?? ''
  const domain = parts.length === 2 ? parts[0] : undefined
  return [...domainProblems(domain), ...userProblems(user)]
}

function domainProblems(domain: string | undefined): readonly string[] {
  if (domain === undefined) return []
  const problems: string[] = []
  if (domain.length >= longestDomain) {
    problems.push(`runAsUserName's Domain length must be under ${longestDomain} characters`)
  }
  if (!netBiosName.test(domain) && !dnsName.test(domain)) {
    problems.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
  }
  return problems
}

function userProblems(user: string): readonly string[] {
  const problems: string[] = []
  if (user === '') problems.push("runAsUserName's User cannot be empty")
  else if (user.length > longestUser) {
    problems.push(`runAsUserName's User length must not be longer than ${longestUser} characters`)
  }
  if (/^[. ]+$/.test(user)) problems.push("runAsUserName's User cannot contain only periods or spaces")
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    problems.push(`runAsUserName's User cannot contain the following characters: "/\\:;|=,+*?<>@[]`)
  }
  return problems
}

/** Host processes are all or none of a pod, and live on the network of the node. */
export function validateHostProcess(spec: PodSpec, path: string): FieldError[] {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess
  const containers = containersWithPath(spec, path)
  const errors = containers.flatMap(({ container, path: at }) => {
    const own = container.securityContext?.windowsOptions?.hostProcess
    if (ofPod === undefined || own === undefined || own === ofPod) return []
    const detail = `pod hostProcess value must be identical if both are specified, was ${ofPod}`
    return [invalidValue(`${at}.securityContext.windowsOptions.hostProcess`, own, detail)]
  })
  const count = containers.filter(
    ({ container }) => (container.securityContext?.windowsOptions?.hostProcess ?? ofPod) === true,
  ).length
  if (count === 0) return errors
  if (count !== containers.length) {
    const detail = 'If pod contains any hostProcess containers then all containers must be HostProcess containers'
    errors.push(invalidValue(path, '', detail))
  }
  if (spec.hostNetwork === true) return errors
  const detail = 'hostNetwork must be true if pod contains any hostProcess containers'
  return [...errors, invalidValue(`${path}.hostNetwork`, false, detail)]
}

export function validateLinuxPod(spec: PodSpec, path: string): FieldError[] {
  const detail = 'windows options cannot be set for a linux pod'
  const refuse = (context: Pick<SecurityContext, 'windowsOptions'> | undefined, at: string): FieldError[] =>
    context?.windowsOptions === undefined ? [] : [forbiddenField(`${at}.securityContext.windowsOptions`, detail)]
  return [
    ...refuse(spec.securityContext, path),
    ...containersWithPath(spec, path).flatMap(({ container, path: at }) => refuse(container.securityContext, at)),
  ]
}

const refusedOfContainer = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const

export function validateWindowsPod(spec: PodSpec, path: string): FieldError[] {
  const { securityContext: context = {} } = spec
  const at = `${path}.securityContext`
  const pod: readonly (readonly [field: string, isSet: boolean])[] = [
    [`${at}.appArmorProfile`, context.appArmorProfile !== undefined],
    [`${at}.seLinuxOptions`, context.seLinuxOptions !== undefined],
    [`${path}.hostUsers`, spec.hostUsers !== undefined],
    [`${path}.hostPID`, spec.hostPID === true],
    [`${path}.hostIPC`, spec.hostIPC === true],
    [`${at}.seccompProfile`, context.seccompProfile !== undefined],
    [`${at}.fsGroup`, context.fsGroup !== undefined],
    [`${at}.fsGroupChangePolicy`, context.fsGroupChangePolicy !== undefined],
    [`${at}.sysctls`, (context.sysctls ?? []).length > 0],
    [`${path}.shareProcessNamespace`, spec.shareProcessNamespace !== undefined],
    [`${at}.runAsUser`, context.runAsUser !== undefined],
    [`${at}.runAsGroup`, context.runAsGroup !== undefined],
    [`${at}.supplementalGroups`, context.supplementalGroups !== undefined],
    [`${at}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy !== undefined],
    [`${at}.seLinuxChangePolicy`, context.seLinuxChangePolicy !== undefined],
  ]
  const fields = pod.filter(([, isSet]) => isSet).map(([field]) => field)
  for (const { container, path: containerPath } of containersWithPath(spec, path)) {
    const set = refusedOfContainer.filter((field) => container.securityContext?.[field] !== undefined)
    fields.push(...set.map((field) => `${containerPath}.securityContext.${field}`))
  }
  return fields.map((field) => forbiddenField(field, 'cannot be set for a windows pod'))
}
