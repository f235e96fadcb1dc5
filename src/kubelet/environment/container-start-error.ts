/** A container cannot be started as it is written: `reason` and message become its waiting state. */
export class ContainerStartError extends Error {
  readonly reason: string

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ContainerStartError'
    this.reason = reason
  }
}

export function configError(message: string): ContainerStartError {
  return new ContainerStartError('CreateContainerConfigError', message)
}
