import type { PolicyRule } from '#api/types/rbac.v1.ts'

const all = '*'

/**
 * The part of `wanted` that `held` does not cover, as rules of one verb, group and resource each, put together again
 * for reading. Empty means everything is covered.
 *
 * A wanted rule is split first: `{get,list} × {pods,secrets}` becomes four, and each must be covered by one held rule.
 */
export function uncoveredRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): readonly PolicyRule[] {
  const atoms = wanted.flatMap(split)
  const missing = atoms.filter((atom) => !held.some((rule) => covers(rule, atom)))
  return compact(missing)
}

/** The rule as `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`. */
export function formatRule(rule: PolicyRule): string {
  const parts: readonly (readonly [string, readonly string[] | undefined])[] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ]
  const shown = parts.filter(([, values]) => values !== undefined && values.length > 0)
  return `{${shown.map(([name, values]) => `${name}:${formatList(values ?? [])}`).join(', ')}}`
}

/** `["a" "b"]` */
export function formatList(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(' ')}]`
}

function split(rule: PolicyRule): PolicyRule[] {
  const named = rule.resourceNames?.length ? rule.resourceNames.map((name) => [name]) : [undefined]
  const resources = (rule.apiGroups ?? []).flatMap((group) =>
    (rule.resources ?? []).flatMap((resource) =>
      rule.verbs.flatMap((verb) =>
        named.map((names) => ({
          apiGroups: [group],
          resources: [resource],
          ...(names && { resourceNames: names }),
          verbs: [verb],
        })),
      ),
    ),
  )
  const urls = (rule.nonResourceURLs ?? []).flatMap((url) =>
    rule.verbs.map((verb) => ({ nonResourceURLs: [url], verbs: [verb] })),
  )
  return [...resources, ...urls]
}

function covers(held: PolicyRule, atom: PolicyRule): boolean {
  const includesAll = (list: readonly string[] | undefined, wanted: readonly string[] | undefined): boolean =>
    list !== undefined && (list.includes(all) || (wanted ?? []).every((item) => list.includes(item)))
  if (!includesAll(held.verbs, atom.verbs)) return false
  if (atom.nonResourceURLs !== undefined)
    return atom.nonResourceURLs.every((url) => coversUrl(held.nonResourceURLs, url))
  if (!includesAll(held.apiGroups, atom.apiGroups) || !coversResources(held.resources, atom.resources)) return false
  if (!held.resourceNames?.length) return true
  return atom.resourceNames !== undefined && atom.resourceNames.every((name) => held.resourceNames?.includes(name))
}

function coversResources(held: readonly string[] | undefined, wanted: readonly string[] | undefined): boolean {
  if (held === undefined || wanted === undefined) return false
  if (held.includes(all)) return true
  return wanted.every((resource) => {
    const subresource = resource.split('/')[1]
    return held.includes(resource) || (subresource !== undefined && held.includes(`*/${subresource}`))
  })
}

function coversUrl(held: readonly string[] | undefined, url: string): boolean {
  return (
    held?.some((item) => item === all || item === url || (item.endsWith(all) && url.startsWith(item.slice(0, -1)))) ??
    false
  )
}

/** Joins rules that differ only in their verbs, and sorts them by their text. */
function compact(rules: readonly PolicyRule[]): PolicyRule[] {
  const byTarget = new Map<string, { rule: PolicyRule; verbs: string[] }>()
  for (const rule of rules) {
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs])
    const known = byTarget.get(key)
    if (known === undefined) byTarget.set(key, { rule, verbs: [...rule.verbs] })
    else if (!known.verbs.includes(rule.verbs[0]!)) known.verbs.push(...rule.verbs)
  }
  const joined = [...byTarget.values()].map(({ rule, verbs }) => ({ ...rule, verbs }))
  return joined.sort((a, b) => (formatRule(a) < formatRule(b) ? -1 : 1))
}
