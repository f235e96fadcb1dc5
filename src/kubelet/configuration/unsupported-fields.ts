import type { KubeletConfiguration } from './kubelet-configuration.ts'

/**
 * Fields that upstream's kubelet acts on and this one does not, with the values that ask for nothing. Any other value is
 * refused: a node that does not do what it was told must not start as if it did.
 */
const neutralValues: Readonly<Record<string, readonly unknown[]>> = {
  readOnlyPort: [0],
  staticPodURL: [''],
  runOnce: [false],
  registerNode: [true],
  enableControllerAttachDetach: [true],
  cgroupsPerQOS: [true],
  cgroupDriver: ['cgroupfs', ''],
  systemReservedCgroup: [''],
  kubeReservedCgroup: [''],
  imagePullCredentialsVerificationPolicy: ['', 'NeverVerify', 'NeverVerifyPreloadedImages'],
}

const emptyOnly = ['qosReserved', 'tracing']

/** One sentence for each field with a value that this kubelet cannot follow. */
export function unsupportedFields(configuration: KubeletConfiguration): readonly string[] {
  const fields = configuration as Readonly<Record<string, unknown>>
  const odd = Object.entries(neutralValues).filter(([name, values]) => name in fields && !values.includes(fields[name]))
  const full = emptyOnly.filter((name) => Object.keys((fields[name] as object | undefined) ?? {}).length > 0)
  const nested: readonly (readonly [name: string, value: unknown, neutral: readonly unknown[]])[] = [
    ['authentication.anonymous.enabled', valueAt(fields, 'authentication', 'anonymous', 'enabled'), [undefined, false]],
    ['authorization.mode', valueAt(fields, 'authorization', 'mode'), [undefined, '', 'Webhook']],
    ['memorySwap.swapBehavior', valueAt(fields, 'memorySwap', 'swapBehavior'), [undefined, '', 'NoSwap']],
  ]
  return [
    ...odd.map(([name]) => refusal(name, fields[name])),
    ...full.map((name) => refusal(name, fields[name])),
    ...nested.filter(([, value, neutral]) => !neutral.includes(value)).map(([name, value]) => refusal(name, value)),
  ]
}

function valueAt(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], value)
}

function refusal(name: string, value: unknown): string {
  return `${name}: ${JSON.stringify(value)} is not supported by this kubelet`
}
