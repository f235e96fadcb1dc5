import { apiServices } from '#api/types/resources.ts'
import { versionInfo } from '../discovery/version.ts'
import type { ServerParts } from '../server-parts.ts'

/** What the server is: its version and features, when it started, and which of the servers behind it are away. */
export function serverLines({ about, reader }: ServerParts): string[] {
  const { major, minor, gitVersion, platform } = versionInfo
  const away = reader.list(apiServices).map(({ metadata, status }) => ({
    name: metadata.name,
    isAway: status?.conditions?.some(({ type, status: is }) => type === 'Available' && is !== 'True') === true,
  }))
  return [
    '# HELP kubernetes_build_info The version that is served.',
    '# TYPE kubernetes_build_info gauge',
    `kubernetes_build_info{git_version="${gitVersion}",major="${major}",minor="${minor}",platform="${platform}"} 1`,
    '# HELP kubernetes_feature_enabled Features that can be chosen, and whether they are on.',
    '# TYPE kubernetes_feature_enabled gauge',
    ...[...about.features].map((name) => `kubernetes_feature_enabled{name="${name}",stage="BETA"} 1`),
    '# HELP aggregator_unavailable_apiservice Groups and versions whose server is away.',
    '# TYPE aggregator_unavailable_apiservice gauge',
    ...away.map(({ name, isAway }) => `aggregator_unavailable_apiservice{name="${name}"} ${isAway ? 1 : 0}`),
    '# HELP process_start_time_seconds When the server started, in seconds since 1970.',
    '# TYPE process_start_time_seconds gauge',
    `process_start_time_seconds ${about.startedMs / 1000}`,
  ]
}
