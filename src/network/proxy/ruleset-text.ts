import type { Collection, Ruleset } from './ruleset.ts'

/** The nft script that replaces the whole table in one transaction, whatever stood there before. */
export function fullScript(ruleset: Ruleset): string {
  const { table } = ruleset
  const body = [
    ...[...ruleset.collections].map(([name, collection]) => collectionText(name, collection)),
    ...[...ruleset.chains, ...ruleset.baseChains].map(([name, rules]) => chainText(name, rules)),
  ]
  return `table ip ${table}\ndelete table ip ${table}\ntable ip ${table} {\n${body.join('')}}\n`
}

/**
 * The nft script that turns `before` into `after` in one transaction, or the empty string where they are equal. Both
 * must have the same base chains; use `fullScript` otherwise. Elements go before the chains they lead to.
 */
export function changeScript(before: Ruleset, after: Ruleset): string {
  const lines: string[] = []
  const { table } = after
  for (const name of after.chains.keys()) if (!before.chains.has(name)) lines.push(`add chain ip ${table} ${name}`)
  for (const [name, rules] of after.chains) {
    const old = before.chains.get(name)
    if (old && sameRules(old, rules)) continue
    if (old) lines.push(`flush chain ip ${table} ${name}`)
    for (const rule of rules) lines.push(`add rule ip ${table} ${name} ${rule}`)
  }
  for (const [name, collection] of after.collections) {
    lines.push(...elementChanges(table, name, before.collections.get(name), collection))
  }
  for (const name of before.chains.keys()) {
    if (!after.chains.has(name)) lines.push(`flush chain ip ${table} ${name}`, `delete chain ip ${table} ${name}`)
  }
  return lines.map((line) => `${line}\n`).join('')
}

/** Whether two rulesets can be joined by `changeScript`. */
export function sameBase(before: Ruleset, after: Ruleset): boolean {
  return (
    before.table === after.table &&
    [...after.baseChains].every(([name, rules]) => sameRules(before.baseChains.get(name) ?? [], rules))
  )
}

function sameRules(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((rule, index) => rule === b[index])
}

function elementChanges(table: string, name: string, old: Collection | undefined, collection: Collection): string[] {
  const before = old?.elements ?? new Map<string, string>()
  const gone = [...before.keys()].filter((key) => collection.elements.get(key) !== before.get(key))
  const come = [...collection.elements].filter(([key, value]) => before.get(key) !== value)
  const lines: string[] = []
  if (gone.length > 0) lines.push(`delete element ip ${table} ${name} { ${gone.join(', ')} }`)
  if (come.length > 0) lines.push(`add element ip ${table} ${name} { ${come.map(elementText).join(', ')} }`)
  return lines
}

function elementText([key, value]: readonly [string, string]): string {
  return value === '' ? key : `${key} : ${value}`
}

function collectionText(name: string, { kind, type, elements }: Collection): string {
  const rows = [...elements].map(elementText)
  const list = rows.length === 0 ? '' : `    elements = {\n      ${rows.join(',\n      ')}\n    }\n`
  return `  ${kind} ${name} {\n    type ${type}\n${list}  }\n`
}

function chainText(name: string, rules: readonly string[]): string {
  return `  chain ${name} {\n${rules.map((rule) => `    ${rule}\n`).join('')}  }\n`
}
