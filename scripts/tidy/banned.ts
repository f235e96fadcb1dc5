import type { Problem } from './problem.ts'
import { isTestFile, lineAt } from './source-file.ts'
import type { SourceFile } from './source-file.ts'

/** Text that may not occur, and what to write in its place. */
interface Ban {
  readonly pattern: RegExp
  readonly instead: string
  /** Where the text is looked for. */
  readonly within: 'code' | 'comments'
  /** `src`: the product and its unit tests; `product`: without the tests; `all`: scripts and benchmarks too. */
  readonly scope: 'src' | 'product' | 'all'
  /** Files that may contain it, because they are the door through which it enters. */
  readonly except?: readonly string[]
}

const clockFile = 'src/lib/clock.ts'
const tidyTests = 'scripts/tidy/rules.test.ts'

const bans: readonly Ban[] = [
  { pattern: /\bDate\.now\b/g, instead: 'clock.now()', within: 'code', scope: 'src', except: [clockFile] },
  { pattern: /\bnew Date\(\)/g, instead: 'clock.now()', within: 'code', scope: 'src' },
  { pattern: /\bperformance\.now\b/g, instead: 'clock.monotonic()', within: 'code', scope: 'src', except: [clockFile] },
  { pattern: /\bprocess\.hrtime\b/g, instead: 'clock.monotonic()', within: 'code', scope: 'src' },
  {
    pattern: /(?<![.\w])setTimeout\b/g,
    instead: 'clock.schedule() or clock.sleep()',
    within: 'code',
    scope: 'src',
    except: [clockFile],
  },
  {
    pattern: /(?<![.\w])setInterval\b/g,
    instead: 'clock.schedule(), again from its callback',
    within: 'code',
    scope: 'src',
    except: [clockFile],
  },
  {
    pattern: /\bMath\.random\b/g,
    instead: 'a Random (#lib/random.ts)',
    within: 'code',
    scope: 'src',
    except: ['src/lib/random.ts'],
  },
  { pattern: /\bconsole\.\w/g, instead: 'a Log (#lib/log.ts) or the Terminal', within: 'code', scope: 'all' },
  { pattern: /\bas any\b/g, instead: 'unknown and a check', within: 'code', scope: 'all' },
  {
    pattern: /^[ \t]*(?:export )?(?:declare )?(?:const )?enum \w/gm,
    instead: 'a union of literals',
    within: 'code',
    scope: 'all',
  },
  {
    pattern: /\bprocess\.exit\(/g,
    instead: 'process.exitCode, or an error thrown',
    within: 'code',
    scope: 'product',
    except: ['src/main/cli.ts'],
  },
  { pattern: /@ts-(?:ignore|nocheck)\b/g, instead: 'a type that is true', within: 'comments', scope: 'all' },
  { pattern: /\b(?:FIXME|TODO|XXX)\b/g, instead: 'the work itself, or an issue', within: 'comments', scope: 'all' },
  {
    pattern: /\b[\w/-]+\.go\b/g,
    instead: 'the KEP, RFC or API reference that holds the rule',
    within: 'comments',
    scope: 'all',
  },
]

const vagueNames = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'shared', 'misc', 'pkg', 'internal'])

/** Banned calls, words and file names, each with its replacement. */
export function bannedProblems(file: SourceFile): Problem[] {
  return [
    ...bans.filter((ban) => applies(ban, file.path)).flatMap((ban) => findBan(ban, file)),
    ...nameProblems(file.path),
  ]
}

function applies(ban: Ban, path: string): boolean {
  if (path === tidyTests || ban.except?.includes(path)) return false
  if (ban.scope === 'all') return true
  return path.startsWith('src/') && (ban.scope === 'src' || !isTestFile(path))
}

function findBan(ban: Ban, file: SourceFile): Problem[] {
  const text = file[ban.within]
  return [...text.matchAll(ban.pattern)].map((match) => ({
    path: file.path,
    line: lineAt(text, match.index),
    message: `'${match[0].trim()}' is banned: use ${ban.instead}`,
  }))
}

function nameProblems(path: string): Problem[] {
  const vague = path.split('/').find((part) => vagueNames.has(part.replace(/(\.test|\.case)?\.ts$/, '')))
  if (vague !== undefined) return [{ path, line: 0, message: `'${vague}' says nothing: name it after what it does` }]
  const isKebab = /^[a-z0-9]+(?:[.-][a-z0-9]+)*\.ts$/.test(path.slice(path.lastIndexOf('/') + 1))
  return isKebab ? [] : [{ path, line: 0, message: 'file names are kebab-case, after what the file exports' }]
}
