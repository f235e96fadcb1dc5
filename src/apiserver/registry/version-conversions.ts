import type { KubernetesObject } from '#api/meta/resource.ts'
import type { VersionConversion } from './served-resource.ts'

interface ConversionRow extends VersionConversion {
  /** `group/version/plural` that is served but not stored. */
  readonly served: string
}

type Fields = Readonly<Record<string, unknown>>

/** `events.k8s.io/v1` and core `v1` name the same facts differently (KEP-383). Stored as core `v1`. */
const events: ConversionRow = {
  served: 'events.k8s.io/v1/events',
  toServed(stored) {
    const { involvedObject, message, source, firstTimestamp, lastTimestamp, count, ...same } = asFields(stored)
    const { reportingComponent, ...kept } = same
    return defined({
      ...kept,
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      reportingController: reportingComponent,
      regarding: involvedObject,
      note: message,
      deprecatedSource: source,
      deprecatedFirstTimestamp: firstTimestamp,
      deprecatedLastTimestamp: lastTimestamp,
      deprecatedCount: count,
    })
  },
  toStored(served) {
    const { regarding, note, deprecatedSource, deprecatedFirstTimestamp, deprecatedLastTimestamp, ...same } =
      asFields(served)
    const { deprecatedCount, reportingController, ...kept } = same
    return defined({
      ...kept,
      apiVersion: 'v1',
      kind: 'Event',
      reportingComponent: reportingController ?? '',
      reportingInstance: kept['reportingInstance'] ?? '',
      involvedObject: regarding ?? {},
      message: note,
      source: deprecatedSource ?? {},
      firstTimestamp: deprecatedFirstTimestamp ?? null,
      lastTimestamp: deprecatedLastTimestamp ?? null,
      count: deprecatedCount,
    })
  },
}

const conversions: readonly ConversionRow[] = [events]

/** How a served version differs from the stored one; undefined where they are the same. */
export function conversionOf(group: string, version: string, plural: string): VersionConversion | undefined {
  return conversions.find((row) => row.served === `${group}/${version}/${plural}`)
}

function asFields(object: KubernetesObject): Fields {
  return object as unknown as Fields
}

function defined(fields: Fields): KubernetesObject {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as unknown as KubernetesObject
}
