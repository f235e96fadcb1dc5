import { ChoiceError, parseChoices, type ChoiceRules } from './choices.ts'

/** Feature gates of Kubernetes v1.36 that change what this cluster does; the others are as their default says. */
const gates = {
  ClusterTrustBundle: { isOn: false, stage: 'BETA', needs: [] },
  ClusterTrustBundleProjection: { isOn: false, stage: 'BETA', needs: ['ClusterTrustBundle'] },
  ComponentFlagz: { isOn: true, stage: 'BETA', needs: [] },
  ComponentStatusz: { isOn: true, stage: 'BETA', needs: [] },
  PodCertificateRequest: { isOn: false, stage: 'BETA', needs: [] },
} as const satisfies Readonly<Record<string, Gate>>

interface Gate {
  readonly isOn: boolean
  readonly stage: 'ALPHA' | 'BETA'
  /** Features without which this one is refused. */
  readonly needs: readonly string[]
}

export type FeatureName = keyof typeof gates

/** Which features are on. */
export type Features = ReadonlySet<FeatureName>

const names = Object.keys(gates) as FeatureName[]

/** What is on where nobody says anything. */
export const defaultFeatures: Features = new Set(names.filter((name) => gates[name].isOn))

const rules: ChoiceRules = {
  bare: (name) => `missing bool value for ${name}`,
  invalid: (name, text, reason) => `invalid value of ${name}=${text}, err: ${reason}`,
}

/** Reads `Name=true` pairs as `--feature-gates` takes them. Throws `ChoiceError` for unknown names and values. */
export function parseFeatureGates(pairs: readonly string[]): Features {
  const on = new Set(defaultFeatures)
  for (const [name, value] of parseChoices(pairs, rules)) {
    for (const each of namesMeant(name)) {
      if (value) on.add(each)
      else on.delete(each)
    }
  }
  for (const name of on) {
    const missing = gates[name].needs.filter((needed) => !on.has(needed))
    if (missing.length === 0) continue
    throw new ChoiceError(`${name} is enabled, but depends on features that are disabled: [${missing.join(' ')}]`)
  }
  return on
}

/** `AllAlpha` and `AllBeta` stand for every gate of their stage. */
function namesMeant(name: string): readonly FeatureName[] {
  const stage = name === 'AllAlpha' ? 'ALPHA' : name === 'AllBeta' ? 'BETA' : undefined
  if (stage !== undefined) return names.filter((each) => gates[each].stage === stage)
  if (!Object.hasOwn(gates, name)) throw new ChoiceError(`unrecognized feature gate: ${name}`)
  return [name as FeatureName]
}
