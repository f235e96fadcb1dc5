import type { WireWatchEvent } from '#api/meta/exchange.ts'
import { kubernetesProtobuf } from '#api/protobuf/envelope.ts'
import { isOwnList } from './own-list.ts'

/** Kubernetes' protobuf for the wire, made once for each frozen object and each watch event: lists share it with both. */
export class ProtobufEncoder {
  /** Messages without their envelopes. */
  readonly #messages = new WeakMap<object, Buffer>()
  readonly #frames = new WeakMap<WireWatchEvent, Uint8Array>()

  encode(object: object): Uint8Array {
    const { items } = object as { readonly items?: unknown }
    if (!Array.isArray(items) || !isOwnList(object, items as readonly object[])) {
      return kubernetesProtobuf().wrap(object, this.#messageOf(object))
    }
    const { items: _items, ...list } = object as Readonly<Record<string, unknown>>
    const messages = (items as readonly object[]).map((item) => this.#messageOf(item))
    return kubernetesProtobuf().encodeList(list, messages)
  }

  /** One frame of a watch. */
  encodeEvent(event: WireWatchEvent): Uint8Array {
    const known = this.#frames.get(event)
    if (known !== undefined) return known
    const frame = kubernetesProtobuf().watchFrame(event.type, this.encode(event.object))
    this.#frames.set(event, frame)
    return frame
  }

  #messageOf(object: object): Buffer {
    const known = this.#messages.get(object)
    if (known !== undefined) return known
    const message = kubernetesProtobuf().encodeMessage(object)
    if (Object.isFrozen(object)) this.#messages.set(object, message)
    return message
  }
}
