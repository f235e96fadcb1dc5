import type { Features } from '#api/features.ts'
import type { ApiResponse } from '#api/meta/exchange.ts'
import { StatusError } from '#api/meta/status.ts'
import { parseAccept } from '../encoding/media-types.ts'
import { textResponse } from '../encoding/responses.ts'
import type { RequestContext } from '../request-context.ts'
import { fixedPaths } from './fixed-paths.ts'
import { healthPaths } from './health.ts'
import { versionInfo } from './version.ts'

const warning =
  'Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.'

/** `/statusz` and `/flagz`: what the server is and how it was started, for people (KEP-4827, KEP-4828). */
export function zPages(context: RequestContext): ApiResponse | undefined {
  const { path, headers } = context.request
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined
  if (page === undefined || !context.server.about.features.has(page.feature)) return undefined
  if (!takesText(headers['accept'])) {
    throw new StatusError('NotAcceptable', 'only the following media types are accepted: text/plain')
  }
  return textResponse(`\n\n${page.title}\n${warning}\n\n${page.lines(context).join('\n')}\n`)
}

interface Page {
  readonly feature: 'ComponentStatusz' | 'ComponentFlagz'
  readonly title: string
  readonly lines: (context: RequestContext) => readonly string[]
}

const pages: Readonly<Record<string, Page>> = {
  '/statusz': { feature: 'ComponentStatusz', title: 'kube-apiserver statusz', lines: statusLines },
  '/flagz': { feature: 'ComponentFlagz', title: 'kube-apiserver flagz', lines: flagLines },
}

/** The pages that these features bring. */
export function pagesOf(features: Features): readonly string[] {
  return Object.keys(pages).filter((path) => features.has(pages[path]!.feature))
}

function takesText(accept: string | undefined): boolean {
  if (accept === undefined || accept === '') return true
  return parseAccept(accept).some(({ type, parameters }) => {
    return parameters['as'] === undefined && ['*/*', 'text/*', 'text/plain'].includes(type)
  })
}

function statusLines({ server: { about, clock } }: RequestContext): readonly string[] {
  const upSeconds = Math.max(0, Math.floor((clock.now() - about.startedMs) / 1000))
  const [hours, minutes, seconds] = [upSeconds / 3600, (upSeconds / 60) % 60, upSeconds % 60].map((part) =>
    String(Math.floor(part)).padStart(2, '0'),
  )
  return [
    `Started: ${unixDate(about.startedMs)}`,
    `Up: ${Number(hours)} hr ${minutes} min ${seconds} sec`,
    `Go version: ${versionInfo.goVersion}`,
    `Binary version: ${versionInfo.gitVersion.slice(1)}`,
    `Emulation version: ${versionInfo.emulationMajor}.${versionInfo.emulationMinor}`,
    `Paths: ${[...fixedPaths, ...healthPaths, ...pagesOf(about.features)].toSorted().join(' ')}`,
  ]
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** As `date` prints it, `Fri Sep  6 06:19:51 UTC 2024`. */
function unixDate(ms: number): string {
  const date = new Date(ms)
  const day = String(date.getUTCDate()).padStart(2)
  const time = date.toISOString().slice(11, 19)
  return `${days[date.getUTCDay()]} ${months[date.getUTCMonth()]} ${day} ${time} UTC ${date.getUTCFullYear()}`
}

function flagLines({ server }: RequestContext): readonly string[] {
  const names = Object.keys(server.about.flags).toSorted()
  return names.map((name) => `${name}=${server.about.flags[name]}`)
}
