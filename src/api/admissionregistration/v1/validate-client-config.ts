import { invalidForEach, invalidValue, required } from '../../meta/field-errors.ts'
import { dnsSubdomain } from '../../meta/names.ts'
import { inRange } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { ServiceReference, WebhookClientConfig } from '../../types/admissionregistration.v1.ts'

/** How a webhook is reached: by a URL or by a service, one of them. */
export function validateClientConfig(config: WebhookClientConfig | undefined, path: string): FieldError[] {
  const { url, service } = config ?? {}
  if ((url === undefined) === (service === undefined)) {
    return [required(path, 'exactly one of url or service is required')]
  }
  if (url !== undefined) return validateWebhookUrl(url, `${path}.url`)
  return service === undefined ? [] : validateWebhookService(service, `${path}.service`)
}

const urlForm = 'desired format: https://host[/path]'

function validateWebhookUrl(text: string, path: string): FieldError[] {
  const url = URL.parse(text)
  if (url === null) return [required(path, `url must be a valid URL: ${text}; ${urlForm}`)]
  const errors: FieldError[] = []
  const scheme = url.protocol.slice(0, -1)
  if (scheme !== 'https') {
    errors.push(invalidValue(path, scheme, `'https' is the only allowed URL scheme; ${urlForm}`))
  }
  if (url.host === '') errors.push(invalidValue(path, url.host, `host must be specified; ${urlForm}`))
  if (url.username !== '') errors.push(invalidValue(path, url.username, 'user information is not permitted in the URL'))
  if (url.hash !== '') errors.push(invalidValue(path, url.hash.slice(1), 'fragments are not permitted in the URL'))
  if (url.search !== '') {
    errors.push(invalidValue(path, url.search.slice(1), 'query parameters are not permitted in the URL'))
  }
  return errors
}

function validateWebhookService(
  { name, namespace, port, path: urlPath }: ServiceReference,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  if (name === '') errors.push(required(`${path}.name`, 'service name is required'))
  if (namespace === '') errors.push(required(`${path}.namespace`, 'service namespace is required'))
  if (port !== undefined && inRange(port, 1, 65_535).length > 0) {
    errors.push(invalidValue(`${path}.port`, port, `port is not valid: ${inRange(port, 1, 65_535).join('')}`))
  }
  return urlPath === undefined ? errors : [...errors, ...validateUrlPath(urlPath, `${path}.path`)]
}

function validateUrlPath(urlPath: string, path: string): FieldError[] {
  if (!urlPath.startsWith('/')) return [invalidValue(path, urlPath, "must start with a '/'")]
  const steps = urlPath.slice(1).replace(/\/$/, '').split('/')
  if (urlPath === '/') return []
  return steps.flatMap((step, index) => {
    if (step === '') return [invalidValue(path, urlPath, `segment[${index}] may not be empty`)]
    return invalidForEach(
      path,
      urlPath,
      dnsSubdomain(step).map((why) => `segment[${index}]: ${why}`),
    )
  })
}
