import type { RequestInfo } from '../request-info.ts'

/** Upper bounds in seconds, as upstream has them for `apiserver_request_duration_seconds`. */
const buckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]

interface Series {
  readonly labels: string
  readonly byCode: Map<number, number>
  readonly counts: number[]
  sumSeconds: number
  total: number
}

/** More kinds of requests than this share one series: odd paths must not fill the memory. */
const maxSeries = 5_000
const component = ',component="apiserver"'
const otherLabels = `verb="OTHER",group="",version="",resource="",subresource="",scope=""${component}`

/** Counts the requests of one server: how many, how they ended, how long they took. */
export class RequestMetrics {
  readonly #series = new Map<string, Series>()
  #inFlight = 0

  begin(): void {
    this.#inFlight++
  }

  /** Watches and streams end here when they are opened: their length says nothing. */
  end(info: RequestInfo, code: number, seconds: number): void {
    this.#inFlight--
    const series = this.#seriesOf(info)
    series.byCode.set(code, (series.byCode.get(code) ?? 0) + 1)
    const bucket = buckets.findIndex((bound) => seconds <= bound)
    if (bucket >= 0) series.counts[bucket] = (series.counts[bucket] ?? 0) + 1
    series.sumSeconds += seconds
    series.total++
  }

  /** Lines of the Prometheus text format. */
  lines(): string[] {
    return [
      '# HELP apiserver_current_inflight_requests Requests being answered.',
      '# TYPE apiserver_current_inflight_requests gauge',
      `apiserver_current_inflight_requests ${this.#inFlight}`,
      '# HELP apiserver_request_total Requests by what they asked for and how they ended.',
      '# TYPE apiserver_request_total counter',
      ...[...this.#series.values()].flatMap(totalLines),
      '# HELP apiserver_request_duration_seconds Time from the request to its answer.',
      '# TYPE apiserver_request_duration_seconds histogram',
      ...[...this.#series.values()].flatMap((series) => histogramLines('apiserver_request_duration_seconds', series)),
      '# HELP apiserver_request_sli_duration_seconds The same for what has an end of its own, as objectives count it.',
      '# TYPE apiserver_request_sli_duration_seconds histogram',
      ...[...this.#series.values()]
        .filter(({ labels }) => !/^verb="(WATCH|CONNECT)"/.test(labels))
        .flatMap((series) => histogramLines('apiserver_request_sli_duration_seconds', series)),
    ]
  }

  #seriesOf(info: RequestInfo): Series {
    const key = seriesKey(info)
    const known = this.#series.get(key)
    if (known !== undefined) return known
    const isFull = this.#series.size >= maxSeries
    const series =
      (isFull ? this.#series.get(otherLabels) : undefined) ?? newSeries(isFull ? otherLabels : labelsOf(info))
    this.#series.set(isFull ? otherLabels : key, series)
    return series
  }
}

function newSeries(labels: string): Series {
  return { labels, byCode: new Map(), counts: buckets.map(() => 0), sumSeconds: 0, total: 0 }
}

/** Tells series apart as their labels do, and costs each request less than writing these. */
function seriesKey(info: RequestInfo): string {
  if (!info.isResourceRequest) return info.verb
  const { verb, group, version, resource, subresource } = info
  return `${verb} ${group} ${version} ${resource} ${subresource} ${scopeOf(info)}`
}

function scopeOf({ name, namespace, verb }: RequestInfo): string {
  return name !== '' || verb === 'create' ? 'resource' : namespace !== '' ? 'namespace' : 'cluster'
}

function labelsOf(info: RequestInfo): string {
  const { isResourceRequest, verb, group, version, resource, subresource } = info
  if (!isResourceRequest)
    return `verb="${verb.toUpperCase()}",group="",version="",resource="",subresource="",scope=""${component}`
  const where = `group="${escape(group)}",version="${escape(version)}",resource="${escape(resource)}"`
  return `verb="${verbLabel(verb)}",${where},subresource="${escape(subresource)}",scope="${scopeOf(info)}"${component}`
}

/** Rules of dashboards count by the words of HTTP where upstream does. */
const httpVerbs: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT' }

function verbLabel(verb: string): string {
  return httpVerbs[verb] ?? escape(verb.toUpperCase())
}

function escape(text: string): string {
  return text.replace(/[\\"\n]/g, '_')
}

function totalLines({ labels, byCode }: Series): string[] {
  return [...byCode].map(([code, count]) => `apiserver_request_total{${labels},code="${code}"} ${count}`)
}

function histogramLines(name: string, { labels, counts, sumSeconds, total }: Series): string[] {
  let below = 0
  const lines = buckets.map((bound, index) => {
    below += counts[index] ?? 0
    return `${name}_bucket{${labels},le="${bound}"} ${below}`
  })
  const ends = [`${name}_bucket{${labels},le="+Inf"} ${total}`, `${name}_sum{${labels}} ${sumSeconds}`]
  return [...lines, ...ends, `${name}_count{${labels}} ${total}`]
}
