/** The volume cannot even be looked at: nothing on the node has been tried. */
export class VolumeProcessError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'VolumeProcessError'
  }
}
