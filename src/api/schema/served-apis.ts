import { ChoiceError, parseChoices, type ChoiceRules } from '../choices.ts'
import { defaultFeatures, parseFeatureGates, type Features } from '../features.ts'
import { builtInCatalog, catalogOf, type Catalog } from './catalog.ts'
import { optionalResources, schemaGroups, schemaResources, type GroupRow } from './load.ts'
import type { OptionalResourceRow, ResourceRow } from './shapes.ts'

/** What a server serves and does. */
export interface ServedApis {
  readonly catalog: Catalog
  readonly features: Features
}

/** The texts of `--runtime-config` and `--feature-gates`. */
export interface ApiChoice {
  readonly runtimeConfig: readonly string[]
  readonly featureGates: readonly string[]
}

/** What there is where nobody chooses. */
export const usualApis = (): ServedApis => ({ catalog: builtInCatalog(), features: defaultFeatures })

/** What the choice comes to. Throws `ChoiceError` for what there is not. */
export function chooseApis({ runtimeConfig, featureGates }: ApiChoice): ServedApis {
  const features = parseFeatureGates(featureGates)
  return { catalog: chooseCatalog(runtimeConfig, features), features }
}

/**
 * The catalog of a server that was told which APIs to serve, in the words of `--runtime-config`: `api/all`, `api/ga`,
 * `api/beta`, `api/alpha`, `group/version` (`v1` for the core group) and `group/version/resource`, each `=true` or
 * `=false`; what is named more exactly counts more.
 */
function chooseCatalog(runtimeConfig: readonly string[], features: Features): Catalog {
  const wishes: Wishes = new Map(parseChoices(runtimeConfig, rules))
  if (wishes.size === 0) return builtInCatalog()
  const all: readonly (ResourceRow | OptionalResourceRow)[] = [...schemaResources(), ...optionalResources()]
  checkWishes(wishes, all)
  const served = all.filter((row) => isWanted(row, wishes) && (!isOptional(row) || features.has(row.featureGate)))
  const versions = new Set(served.map(({ groupVersion }) => groupVersion))
  const rows = served.map((row) => (isOptional(row) ? withoutGate(row) : row))
  return catalogOf(groupsOf(all, versions), rows)
}

type Wishes = ReadonlyMap<string, boolean>

const rules: ChoiceRules = {
  bare: true,
  invalid: (key, text, reason) => `invalid value of ${key}: ${text}, err: ${reason}`,
}

const stages = ['api/all', 'api/ga', 'api/beta', 'api/alpha'] as const
type Stage = (typeof stages)[number]

function isStage(key: string): key is Stage {
  return stages.includes(key as Stage)
}

function checkWishes(wishes: Wishes, all: readonly ResourceRow[]): void {
  if (wishes.size === 1 && wishes.get('api/all') === false) throw new ChoiceError('invalid key with only api/all=false')
  const versions = new Set(all.map(({ groupVersion }) => groupVersion))
  const groups = new Set([...versions].map(groupOf))
  const named = [...wishes.keys()].filter((key) => !isStage(key))
  const unknown = named.map(groupOf).filter((group) => !groups.has(group))
  if (unknown.length > 0) throw new ChoiceError(`unknown api groups ${unknown.join(',')}`)
  for (const key of named) {
    const version = versionOf(key)
    if (!versions.has(version)) throw new ChoiceError(`group version ${version} that has not been registered`)
    const resource = key.slice(version.length + 1)
    if (resource === '' || all.some((row) => row.groupVersion === version && row.name === resource)) continue
    throw new ChoiceError(`group version ${version} has no resource ${resource}`)
  }
}

/** Of `v1`, `v1/pods`, `apps/v1` and `apps/v1/deployments`. */
function groupOf(key: string): string {
  return isCore(key) ? '' : key.slice(0, Math.max(0, key.indexOf('/')) || key.length)
}

function versionOf(key: string): string {
  return key
    .split('/')
    .slice(0, isCore(key) ? 1 : 2)
    .join('/')
}

function isCore(key: string): boolean {
  return key === 'v1' || key.startsWith('v1/')
}

function isWanted({ groupVersion, name }: ResourceRow, wishes: Wishes): boolean {
  const exact = wishes.get(`${groupVersion}/${name.split('/')[0]}`) ?? wishes.get(groupVersion)
  if (exact !== undefined) return exact
  return wishes.get(stageOf(groupVersion)) ?? wishes.get('api/all') ?? stageOf(groupVersion) === 'api/ga'
}

function stageOf(groupVersion: string): Stage {
  if (groupVersion.includes('alpha')) return 'api/alpha'
  return groupVersion.includes('beta') ? 'api/beta' : 'api/ga'
}

function isOptional(row: ResourceRow | OptionalResourceRow): row is OptionalResourceRow {
  return 'featureGate' in row
}

/** As discovery shows it. */
function withoutGate({ featureGate: _gate, ...row }: OptionalResourceRow): ResourceRow {
  return row
}

/** The groups of the usual server with the versions that are left or come to them; the oldest in use stays preferred. */
function groupsOf(all: readonly ResourceRow[], served: ReadonlySet<string>): readonly GroupRow[] {
  const known = [...new Set(all.map(({ groupVersion }) => groupVersion))]
  return schemaGroups().flatMap((group) => {
    const more = known
      .filter((each) => groupOf(each) === group.name)
      .map((each) => each.slice(group.name.length + 1))
      .filter((version) => !group.versions.includes(version))
    const versions = [...group.versions, ...more].filter((version) => served.has(`${group.name}/${version}`))
    const [first] = versions
    return first === undefined ? [] : [{ name: group.name, versions, preferred: first }]
  })
}
