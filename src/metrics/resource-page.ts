/** What a node or a container had used by one moment. */
export interface Reading {
  readonly timeMs: number
  /** Since its start. */
  readonly cpuSeconds: number
  readonly memoryBytes: number
  readonly startedAtMs: number | undefined
}

/** What one kubelet says of itself and its containers. */
export interface NodeReadings {
  readonly node: Reading | undefined
  /** By `namespace/name` of the pod, then by container. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, Reading>>
}

interface Figures {
  cpuSeconds?: number
  memoryBytes?: number
  startedAtMs?: number
  timeMs: number
}

const line = /^(node|container)_(\w+)(?:\{([^}]*)\})? (\S+)(?: (\d+))?$/gm

/** Reads a kubelet's `/metrics/resource`; `nowMs` is the time of what carries none. Whoever lacks one of cpu and memory is left out. */
export function parseResourcePage(text: string, nowMs: number): NodeReadings {
  const node: Figures = { timeMs: nowMs }
  const pods = new Map<string, Map<string, Figures>>()
  for (const [, subject, what = '', labels = '', value, time] of text.matchAll(line)) {
    const figures = subject === 'node' ? node : figuresOf(pods, labels, nowMs)
    note(figures, what, Number(value), time === undefined ? undefined : Number(time))
  }
  return {
    node: readingOf(node),
    pods: new Map([...pods].map(([pod, containers]) => [pod, readingsOf(containers)])),
  }
}

function figuresOf(pods: Map<string, Map<string, Figures>>, labels: string, timeMs: number): Figures {
  const valueOf = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(labels)?.[1] ?? ''
  const pod = `${valueOf('namespace')}/${valueOf('pod')}`
  const containers = pods.get(pod) ?? new Map<string, Figures>()
  pods.set(pod, containers)
  const container = valueOf('container')
  const figures = containers.get(container) ?? { timeMs }
  containers.set(container, figures)
  return figures
}

function note(figures: Figures, what: string, value: number, timeMs: number | undefined): void {
  if (what === 'memory_working_set_bytes') figures.memoryBytes = value
  if (what === 'start_time_seconds') figures.startedAtMs = value * 1_000
  if (what !== 'cpu_usage_seconds_total') return
  figures.cpuSeconds = value
  if (timeMs !== undefined) figures.timeMs = timeMs
}

function readingsOf(containers: ReadonlyMap<string, Figures>): ReadonlyMap<string, Reading> {
  const readings = [...containers].map(([name, figures]) => [name, readingOf(figures)] as const)
  return new Map(readings.filter((entry): entry is [string, Reading] => entry[1] !== undefined))
}

function readingOf({ timeMs, cpuSeconds, memoryBytes, startedAtMs }: Figures): Reading | undefined {
  return cpuSeconds === undefined || memoryBytes === undefined
    ? undefined
    : { timeMs, cpuSeconds, memoryBytes, startedAtMs }
}
