import { DecodeError, decodeValue } from '#api/schema/decode.ts'
import type { ObjectNode } from '#api/schema/node.ts'
import { parseYaml } from '#lib/yaml.ts'
import type { ExtenderCaller, ExtenderSettings } from '../extenders/extender-settings.ts'
import { httpExtender } from '../extenders/http-extender.ts'
import { defineProfile, type Profile } from '../profile.ts'
import type { PluginArguments } from '../plugins/default-plugins.ts'
import type { ConfigurationFile, ExtenderEntry, ProfileEntry } from './configuration-file.ts'
import { argumentNodes, configurationNode } from './configuration-nodes.ts'
import { readArguments } from './plugin-arguments.ts'
import { readDuration } from './read-duration.ts'
import { validateConfiguration } from './validate-configuration.ts'

/** How the scheduler works, as a KubeSchedulerConfiguration says. */
export interface SchedulerConfiguration {
  readonly profiles: readonly Profile[]
  readonly backoff: { readonly initialBackoffMs: number; readonly maxBackoffMs: number }
}

interface LoadContext {
  /** Reads a file that the configuration names. */
  readonly readFile: (path: string) => string
  readonly callExtender: ExtenderCaller
}

const apiVersion = 'kubescheduler.config.k8s.io/v1'

/**
 * Reads a KubeSchedulerConfiguration v1, YAML or JSON. Strict: throws an Error in kube-scheduler's words for anything
 * unknown or wrong. Settings that concern a process of its own (clientConnection, leaderElection, addresses, profiling,
 * parallelism) are checked and have no effect here.
 */
export function loadConfiguration(text: string, context: LoadContext): SchedulerConfiguration {
  const file = completed(decode(text))
  const errors = validateConfiguration(file)
  if (errors.length > 0) {
    const lines = [...new Set(errors.map(({ field, message }) => `${field}: ${message}`))]
    throw new Error(lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`)
  }
  const extenders = file.extenders.map((entry) => httpExtender(settingsOf(entry, context), context.callExtender))
  return {
    profiles: file.profiles.map((entry) =>
      defineProfile({
        ...argumentsOf(entry),
        schedulerName: entry.schedulerName,
        extenders,
        sets: entry.plugins ?? {},
        percentageOfNodesToScore: entry.percentageOfNodesToScore ?? file.percentageOfNodesToScore,
      }),
    ),
    backoff: {
      initialBackoffMs: file.podInitialBackoffSeconds * 1_000,
      maxBackoffMs: file.podMaxBackoffSeconds * 1_000,
    },
  }
}

function decode(text: string): Partial<ConfigurationFile> {
  const { value, duplicates } = parseYaml(text)
  const header = (value ?? {}) as { readonly apiVersion?: unknown; readonly kind?: unknown }
  if (header.kind === undefined || header.kind === '') throw new Error("Object 'Kind' is missing in the configuration")
  if (header.apiVersion !== apiVersion || header.kind !== 'KubeSchedulerConfiguration') {
    const version = JSON.stringify(header.apiVersion ?? '')
    throw new Error(`no kind ${JSON.stringify(header.kind)} is registered for version ${version}`)
  }
  const { object, problems } = decoded<Partial<ConfigurationFile>>(configurationNode, value)
  const nodes = argumentNodes()
  const profiles = object.profiles?.map((profile, index) => ({
    ...profile,
    pluginConfig: (profile.pluginConfig ?? []).map(({ name, args }, at) => {
      const node = nodes[name]
      const read = node && decoded<object>(node, args ?? {})
      problems.push(...(read?.problems ?? []))
      if (read) refuseOtherKind(read.object, name, `profiles[${index}].pluginConfig[${at}].args`)
      return { name, args: read?.object ?? args ?? {} }
    }),
  }))
  const all = [...duplicates, ...problems]
  if (all.length > 0) throw new Error(`strict decoding error: ${all.join(', ')}`)
  return { ...object, ...(profiles && { profiles }) }
}

function decoded<T>(node: ObjectNode, value: unknown): { readonly object: T; readonly problems: string[] } {
  try {
    const { object, problems } = decodeValue<T>(node, value, 'keep')
    return { object, problems: [...problems] }
  } catch (error) {
    throw error instanceof DecodeError ? new Error(`decoding: ${error.message}`, { cause: error }) : error
  }
}

function refuseOtherKind(
  args: { readonly kind?: unknown; readonly apiVersion?: unknown },
  name: string,
  path: string,
): void {
  const isRight = (args.kind ?? `${name}Args`) === `${name}Args` && (args.apiVersion ?? apiVersion) === apiVersion
  if (!isRight) throw new Error(`${path}: Invalid value: ${JSON.stringify(args.kind)}: has to match plugin args`)
}

const defaults = { parallelism: 16, podInitialBackoffSeconds: 1, podMaxBackoffSeconds: 10, extenders: [] }

/** One profile needs no name. */
function completed(file: Partial<ConfigurationFile>): ConfigurationFile {
  const given = file.profiles ?? []
  const profiles: Partial<ProfileEntry>[] = given.length === 0 ? [{}] : [...given]
  const usualName = profiles.length === 1 ? 'default-scheduler' : ''
  return {
    ...defaults,
    ...file,
    profiles: profiles.map((profile) => ({
      ...profile,
      schedulerName: profile.schedulerName || usualName,
      pluginConfig: profile.pluginConfig ?? [],
    })),
  }
}

function argumentsOf({ pluginConfig }: ProfileEntry): PluginArguments {
  return Object.assign(
    {},
    ...pluginConfig.map(({ name, args }) => readArguments(name, args, '').value),
  ) as PluginArguments
}

const usualTimeoutMs = 5_000

function settingsOf(entry: ExtenderEntry, { readFile }: LoadContext): ExtenderSettings {
  const { tlsConfig = {} } = entry
  const pem = (file: string | undefined, data: string | undefined): string | undefined => {
    if (data) return Buffer.from(data, 'base64').toString()
    return file ? readFile(file) : undefined
  }
  const ca = pem(tlsConfig.caFile, tlsConfig.caData)
  return {
    urlPrefix: entry.urlPrefix ?? '',
    filterVerb: entry.filterVerb ?? '',
    prioritizeVerb: entry.prioritizeVerb ?? '',
    preemptVerb: entry.preemptVerb ?? '',
    bindVerb: entry.bindVerb ?? '',
    weight: entry.weight ?? 0,
    timeoutMs: (entry.httpTimeout && readDuration(entry.httpTimeout)) || usualTimeoutMs,
    nodeCacheCapable: entry.nodeCacheCapable === true,
    ignorable: entry.ignorable === true,
    managedResources: (entry.managedResources ?? []).map(({ name, ignoredByScheduler }) => ({
      name,
      ignoredByScheduler: ignoredByScheduler === true,
    })),
    tls: {
      // As with kube-scheduler: without an authority to go by, enableHTTPS means encryption alone.
      insecure: tlsConfig.insecure === true || (entry.enableHTTPS === true && ca === undefined),
      serverName: tlsConfig.serverName,
      ca,
      certificate: pem(tlsConfig.certFile, tlsConfig.certData),
      key: pem(tlsConfig.keyFile, tlsConfig.keyData),
    },
  }
}
