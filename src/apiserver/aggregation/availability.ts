import type { APIService, APIServiceCondition } from '#api/types/apiregistration.v1.ts'
import type { Service } from '#api/types/core.v1.ts'
import type { EndpointSlice } from '#api/types/discovery.v1.ts'

/** What is known of the Service behind an APIService. */
export interface Backend {
  readonly service: Service | undefined
  readonly slices: readonly EndpointSlice[]
}

export type Verdict = Pick<APIServiceCondition, 'status' | 'reason' | 'message'>

/**
 * What can be said of an APIService without asking its server: a verdict, or undefined when it has to be asked
 * (Kubernetes' reasons and words).
 */
export function verdictOf({ spec }: APIService, { service, slices }: Backend): Verdict | undefined {
  if (spec.service === undefined) {
    return { status: 'True', reason: 'Local', message: 'Local APIServices are always available' }
  }
  const { name = '', namespace = '', port = httpsPort } = spec.service
  const where = `service/${name} in ${JSON.stringify(namespace)}`
  const no = (reason: string, message: string): Verdict => ({ status: 'False', reason, message })
  if (service === undefined) return no('ServiceNotFound', `${where} is not present`)
  if ((service.spec?.type ?? 'ClusterIP') !== 'ClusterIP') return undefined
  const wanted = service.spec?.ports?.find((each) => each.port === port)
  if (wanted === undefined) return no('ServicePortError', `${where} is not listening on port ${port}`)
  if (slices.length === 0) return no('EndpointsNotFound', `cannot find endpointslices for ${where}`)
  const { name: portName = '' } = wanted
  if (slices.some((slice) => answersAt(slice, portName))) return undefined
  const why = `endpointslices for ${where} have no addresses with port name ${JSON.stringify(portName)}`
  return no('MissingEndpoints', why)
}

const httpsPort = 443

function answersAt({ endpoints, ports }: EndpointSlice, portName: string): boolean {
  const isReady = (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false)
  return isReady && (ports ?? []).some(({ name = '', port }) => name === portName && port !== undefined)
}

/** What asking the server of an APIService showed; `failure`: why it did not answer as it should. */
export function verdictOfProbe(failure: string | undefined): Verdict {
  if (failure === undefined) return { status: 'True', reason: 'Passed', message: 'all checks passed' }
  return { status: 'False', reason: 'FailedDiscoveryCheck', message: failure }
}
