import type { WireWatchEvent } from '#api/meta/exchange.ts'
import { kubernetesProtobuf } from '#api/protobuf/envelope.ts'

/** Kubernetes' protobuf for the wire, made once for each frozen object and each watch event. */
export class ProtobufEncoder {
  readonly #objects = new WeakMap<object, Uint8Array>()
  readonly #frames = new WeakMap<WireWatchEvent, Uint8Array>()

  encode(object: object): Uint8Array {
    const known = this.#objects.get(object)
    if (known !== undefined) return known
    const bytes = kubernetesProtobuf().encode(object)
    if (Object.isFrozen(object)) this.#objects.set(object, bytes)
    return bytes
  }

  /** One frame of a watch. */
  encodeEvent(event: WireWatchEvent): Uint8Array {
    const known = this.#frames.get(event)
    if (known !== undefined) return known
    const frame = kubernetesProtobuf().watchFrame(event.type, this.encode(event.object))
    this.#frames.set(event, frame)
    return frame
  }
}
