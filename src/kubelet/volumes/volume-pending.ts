/** A volume is not ready although nothing has gone wrong: whoever makes it so says when to look again. */
export class VolumePending extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'VolumePending'
  }
}
