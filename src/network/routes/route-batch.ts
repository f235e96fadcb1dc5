import type { NodeRoute } from './node-routes.ts'

/** A route that stands in the kernel. */
export type KernelRoute = Pick<NodeRoute, 'podCidr' | 'via'>

/**
 * The lines for `ip -batch` that turn the routes of our protocol number into the wanted ones: first those that go, then
 * those that come or change. Nothing to do gives no lines.
 */
export function routeBatch(
  standing: readonly KernelRoute[],
  wanted: readonly NodeRoute[],
  protocol: number,
): readonly string[] {
  const kept = new Set(wanted.map(({ podCidr }) => podCidr))
  const known = new Set(standing.map(({ podCidr, via }) => `${podCidr} ${via}`))
  return [
    ...standing
      .filter(({ podCidr }) => !kept.has(podCidr))
      .map(({ podCidr }) => `route del ${podCidr} proto ${protocol}`),
    ...wanted
      .filter(({ podCidr, via }) => !known.has(`${podCidr} ${via}`))
      .map(({ podCidr, via }) => `route replace ${podCidr} via ${via} proto ${protocol}`),
  ]
}

/** The lines of a batch that `ip -force` could not carry out, with its reasons, from its standard error. */
export function failedLines(complaints: string): ReadonlyMap<number, string> {
  const failed = new Map<number, string>()
  let reason = ''
  for (const line of complaints.split('\n')) {
    const number = /^Command failed -:(\d+)$/.exec(line)?.[1]
    if (number === undefined) reason = line === '' ? reason : line
    else failed.set(Number(number), reason.replace(/^(Error|RTNETLINK answers): /, ''))
  }
  return failed
}

/** Reads `ip -json route show`. */
export function kernelRoutes(json: string): readonly KernelRoute[] {
  const rows = JSON.parse(json === '' ? '[]' : json) as readonly { readonly dst?: string; readonly gateway?: string }[]
  return rows.flatMap(({ dst, gateway }) => (dst && gateway ? [{ podCidr: dst, via: gateway }] : []))
}
