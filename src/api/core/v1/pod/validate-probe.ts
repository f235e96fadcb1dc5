import { nonNegative, positive, validatePortOrName } from '../../../meta/check-numbers.ts'
import { forbiddenField, invalidForEach, invalidValue, notSupported, required } from '../../../meta/field-errors.ts'
import { httpHeaderName } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import type {
  Container,
  ExecAction,
  HTTPGetAction,
  Lifecycle,
  LifecycleHandler,
  Probe,
} from '../../../types/core.v1.ts'

/** The probes of a container that may have them. */
export function validateProbes(container: Container, graceSeconds: number, path: string): FieldError[] {
  const { livenessProbe, readinessProbe, startupProbe } = container
  return [
    ...validateOneShotProbe(livenessProbe, graceSeconds, `${path}.livenessProbe`),
    ...validateReadinessProbe(readinessProbe, graceSeconds, `${path}.readinessProbe`),
    ...validateOneShotProbe(startupProbe, graceSeconds, `${path}.startupProbe`),
  ]
}

export function validateLifecycle(lifecycle: Lifecycle | undefined, graceSeconds: number, path: string): FieldError[] {
  const { postStart, preStop } = lifecycle ?? {}
  return [
    ...(postStart === undefined ? [] : validateHandler(postStart, graceSeconds, `${path}.postStart`)),
    ...(preStop === undefined ? [] : validateHandler(preStop, graceSeconds, `${path}.preStop`)),
  ]
}

/** Liveness and startup probes count one success. */
function validateOneShotProbe(probe: Probe | undefined, graceSeconds: number, path: string): FieldError[] {
  if (probe === undefined) return []
  const errors = validateProbe(probe, graceSeconds, path)
  const successes = probe.successThreshold ?? 1
  if (successes !== 1) errors.push(invalidValue(`${path}.successThreshold`, successes, 'must be 1'))
  return errors
}

function validateReadinessProbe(probe: Probe | undefined, graceSeconds: number, path: string): FieldError[] {
  if (probe === undefined) return []
  const errors = validateProbe(probe, graceSeconds, path)
  const grace = probe.terminationGracePeriodSeconds
  if (grace !== undefined) {
    errors.push(invalidValue(`${path}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes'))
  }
  return errors
}

function validateProbe(probe: Probe, graceSeconds: number, path: string): FieldError[] {
  return [
    ...validateHandler(probe, graceSeconds, path),
    ...nonNegative(probe.initialDelaySeconds, `${path}.initialDelaySeconds`),
    ...nonNegative(probe.timeoutSeconds, `${path}.timeoutSeconds`),
    ...nonNegative(probe.periodSeconds, `${path}.periodSeconds`),
    ...nonNegative(probe.successThreshold, `${path}.successThreshold`),
    ...nonNegative(probe.failureThreshold, `${path}.failureThreshold`),
    ...positive(probe.terminationGracePeriodSeconds, `${path}.terminationGracePeriodSeconds`),
  ]
}

type Handler = LifecycleHandler & Pick<Probe, 'grpc'>

/** Exactly one action; later ones are refused, the first one is checked. */
function validateHandler(handler: Handler, graceSeconds: number, path: string): FieldError[] {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler
  const checks: [string, (() => FieldError[]) | undefined][] = [
    ['exec', exec && ((): FieldError[] => validateExec(exec, `${path}.exec`))],
    ['httpGet', httpGet && ((): FieldError[] => validateHttpGet(httpGet, `${path}.httpGet`))],
    ['tcpSocket', tcpSocket && ((): FieldError[] => validatePortOrName(tcpSocket.port, `${path}.tcpSocket.port`))],
    ['grpc', grpc && ((): FieldError[] => validatePortOrName(grpc.port, `${path}.grpc.port`))],
    ['sleep', sleep && ((): FieldError[] => validateSleep(sleep.seconds, graceSeconds, `${path}.sleep`))],
  ]
  const given = checks.filter(([, check]) => check !== undefined)
  if (given.length === 0) return [required(path, 'must specify a handler type')]
  return given.flatMap(([name, check], index) =>
    index === 0 && check ? check() : [forbiddenField(`${path}.${name}`, 'may not specify more than 1 handler type')],
  )
}

function validateExec({ command }: ExecAction, path: string): FieldError[] {
  return (command ?? []).length === 0 ? [required(`${path}.command`)] : []
}

const schemes: readonly string[] = ['HTTP', 'HTTPS']

function validateHttpGet(action: HTTPGetAction, path: string): FieldError[] {
  const errors: FieldError[] = []
  if ((action.path ?? '') === '') errors.push(required(`${path}.path`))
  errors.push(...validatePortOrName(action.port, `${path}.port`))
  if (!schemes.includes(action.scheme ?? '')) errors.push(notSupported(`${path}.scheme`, action.scheme, schemes))
  for (const { name } of action.httpHeaders ?? []) {
    errors.push(...invalidForEach(`${path}.httpHeaders`, name, httpHeaderName(name)))
  }
  return errors
}

function validateSleep(seconds: number, graceSeconds: number, path: string): FieldError[] {
  if (seconds >= 0 && seconds <= graceSeconds) return []
  const detail = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`
  return [invalidValue(path, seconds, detail)]
}
