import type { KubeletConfiguration } from './kubelet-configuration.ts'

const largestVerbosity = 2 ** 31 - 1

/** What is wrong with how the log is to be written. */
export function loggingErrors({ logging = {} }: KubeletConfiguration): readonly string[] {
  const { format = '', verbosity = 0, vmodule = [] } = logging
  return [
    ...(['', 'json', 'text'].includes(format)
      ? []
      : [`logging.format: Invalid value: "${format}": Unsupported log format`]),
    ...(verbosity >= 0 && verbosity <= largestVerbosity
      ? []
      : [`logging.verbosity: Invalid value: ${verbosity}: Must be <= ${largestVerbosity}`]),
    ...(vmodule.length > 0 && format === 'json'
      ? ['logging.vmodule: Forbidden: Only supported for text log format']
      : []),
  ]
}
