/** One figure with its labels. */
export interface Sample {
  readonly labels: Labels
  readonly value: number
  /** When it was measured; absent: now. */
  readonly timestampMs?: number
  /** Added to the family's name, as histograms need: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string
}

export type Labels = Readonly<Record<string, string>>

/** Samples that mean the same, under one name. */
export interface MetricFamily {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly samples: Iterable<Sample>
}

/** Something whose figures are collected over time. */
export interface Metric {
  read(): MetricFamily
}

export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8'

/** The text that Prometheus reads (exposition format 0.0.4). Families without samples are left out. */
export function formatMetrics(families: Iterable<MetricFamily>): string {
  const lines: string[] = []
  for (const { name, help, type, samples } of families) {
    const rows = [...samples].map((sample) => sampleLine(name, sample))
    if (rows.length > 0) lines.push(`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...rows)
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function sampleLine(name: string, { labels, value, timestampMs, suffix = '' }: Sample): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`)
  const head = `${name}${suffix}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`}`
  return `${head} ${formatNumber(value)}${timestampMs === undefined ? '' : ` ${Math.round(timestampMs)}`}`
}

/** Numbers as Go reads them. */
export function formatNumber(value: number): string {
  if (value === Infinity) return '+Inf'
  return value === -Infinity ? '-Inf' : String(value)
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}
