/** Channels of Kubernetes' WebSocket protocols (`v4.channel.k8s.io`, `v5.channel.k8s.io`). */
export const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const

export interface ChannelMessage {
  readonly channel: number
  readonly data: Buffer
}

/** How a protocol puts channels into messages. */
export interface ChannelCodec {
  /** Undefined for a message that is none. */
  decode(message: Buffer): ChannelMessage | undefined
  encode(channel: number, data: Buffer): Buffer | string
}

/** The first byte of each binary message is the channel. */
const binaryCodec: ChannelCodec = {
  decode: (message) => (message.length === 0 ? undefined : { channel: message[0]!, data: message.subarray(1) }),
  encode: (channel, data) => Buffer.concat([Buffer.from([channel]), data]),
}

/** The first character of each text message is the channel's digit, the rest base64: for browsers of old. */
const base64Codec: ChannelCodec = {
  decode(message) {
    const digit = message.length === 0 ? NaN : message[0]! - 0x30
    if (!(digit >= 0 && digit <= 9)) return undefined
    return { channel: digit, data: Buffer.from(message.toString('latin1', 1), 'base64') }
  },
  encode: (channel, data) => `${channel}${data.toString('base64')}`,
}

/** How a client of exec and attach talks. */
export interface CommandProtocol {
  readonly codec: ChannelCodec
  /** Whether the final word is a Status; before version 4 it was the text of an error, and nothing after a success. */
  readonly endsWithStatus: boolean
}

const oldBinary: CommandProtocol = { codec: binaryCodec, endsWithStatus: false }

/** By their names; the empty one is for clients that name none. */
export const commandProtocols: Readonly<Record<string, CommandProtocol>> = {
  'v5.channel.k8s.io': { codec: binaryCodec, endsWithStatus: true },
  'v4.channel.k8s.io': { codec: binaryCodec, endsWithStatus: true },
  'v4.base64.channel.k8s.io': { codec: base64Codec, endsWithStatus: true },
  'channel.k8s.io': oldBinary,
  'base64.channel.k8s.io': { codec: base64Codec, endsWithStatus: false },
  '': oldBinary,
}

/** Protocols of port-forward with a pair of channels for each port. */
export const forwardProtocols: Readonly<Record<string, ChannelCodec>> = {
  'v4.channel.k8s.io': binaryCodec,
  'v4.base64.channel.k8s.io': base64Codec,
  '': binaryCodec,
}
