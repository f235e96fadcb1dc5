/** What the kubelet tells about the machine it runs on. Implemented by `linux-machine.ts` and for simulated nodes. */
export interface NodeMachine {
  facts(): Promise<MachineFacts>
  pressure(): Promise<MachinePressure>
}

export interface MachineFacts {
  readonly cpus: number
  readonly memoryBytes: number
  readonly ephemeralStorageBytes: number
  readonly machineId: string
  readonly systemUuid: string
  readonly bootId: string
  readonly kernelVersion: string
  readonly osImage: string
  /** In Go's words: `linux`, `amd64`. */
  readonly operatingSystem: string
  readonly architecture: string
  readonly hostname: string
}

/** Which of the node's resources run out. */
export interface MachinePressure {
  readonly memory: boolean
  readonly disk: boolean
  readonly pid: boolean
}
