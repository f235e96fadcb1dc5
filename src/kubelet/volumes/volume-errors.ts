/** The volume cannot even be looked at: nothing on the node has been tried. */
export class VolumeProcessError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'VolumeProcessError'
  }
}

/** A volume is not ready although nothing has gone wrong: whoever makes it so says when to look again. */
export class VolumePending extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'VolumePending'
  }
}

/** A step on the way to the volume has failed that users know by name; others are `MountVolume.SetUp`. */
export class VolumeStepError extends Error {
  readonly step: string

  constructor(step: string, message: string) {
    super(message)
    this.name = 'VolumeStepError'
    this.step = step
  }
}

/** A failure with the name that the volume has beyond its pod. */
export class NamedVolumeError extends Error {
  readonly volume: string
  readonly failure: unknown

  constructor(volume: string, failure: unknown) {
    super(failure instanceof Error ? failure.message : String(failure))
    this.name = 'NamedVolumeError'
    this.volume = volume
    this.failure = failure
  }
}
