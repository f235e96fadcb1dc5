import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '#lib/clock.ts'
import { connectDbus, type DbusArrival, type DbusConnection } from '#lib/dbus/connection.ts'
import type { DbusMessage } from '#lib/dbus/message.ts'
import type { DbusValue, DbusVariant } from '#lib/dbus/value.ts'
import { eventually } from './eventually.ts'

/** Sees what systemd has no use for here: its folder of private files, empty as after a boot. */
const logindScript = `mount --make-rprivate / && mount -t tmpfs tmpfs /run &&
mkdir -p /run/systemd/system /run/systemd/seats /run/systemd/sessions /run/systemd/users /run/systemd/inhibit /run/udev &&
exec /lib/systemd/systemd-logind`

const manager = {
  destination: 'org.freedesktop.login1',
  path: '/org/freedesktop/login1',
  interface: 'org.freedesktop.login1.Manager',
}
const jobPath = '/org/freedesktop/systemd1/job/1'

/**
 * The part of a machine that hears of its end, made of real ones: a system bus of its own with the real systemd-logind on
 * it. Of systemd itself only what systemd-logind asks for is played: in the end it is to start `poweroff.target`.
 */
export class LoginMachine implements AsyncDisposable {
  /** For the environment variable `DBUS_SYSTEM_BUS_ADDRESS`. */
  readonly address: string
  readonly #folder: string
  readonly #daemon: ChildProcess
  readonly #bus: DbusConnection
  #logind: ChildProcess | undefined
  #onStart: (unit: string) => void = () => undefined

  static async start(): Promise<LoginMachine> {
    const folder = await mkdtemp('/var/tmp/coracle-bus-')
    const address = `unix:path=${join(folder, 'bus')}`
    const words = ['--system', '--nofork', '--nopidfile', '--nosyslog', `--address=${address}`]
    const daemon = spawn('dbus-daemon', words, { stdio: 'ignore' })
    const bus = await eventually(() => connectDbus(address, systemClock), { what: 'dbus-daemon answers' })
    const machine = new LoginMachine({ folder, address, daemon, bus })
    await machine.startLogind()
    return machine
  }

  private constructor(parts: { folder: string; address: string; daemon: ChildProcess; bus: DbusConnection }) {
    this.address = parts.address
    this.#folder = parts.folder
    this.#daemon = parts.daemon
    this.#bus = parts.bus
    parts.bus.listen((arrival) => this.#answer(arrival))
  }

  async startLogind(): Promise<void> {
    const bus = { destination: 'org.freedesktop.DBus', path: '/', interface: 'org.freedesktop.DBus' }
    const values = ['org.freedesktop.systemd1', 0]
    await this.#bus.call({ ...bus, member: 'RequestName', signature: 'su', values })
    const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: this.address }
    this.#logind = spawn('unshare', ['--mount', 'sh', '-c', logindScript], { stdio: 'ignore', env })
    await eventually(() => this.property('InhibitDelayMaxUSec'), { what: 'systemd-logind answers' })
  }

  async killLogind(): Promise<void> {
    if (this.#logind === undefined) return
    const ended = once(this.#logind, 'exit')
    this.#logind.kill('SIGKILL')
    await ended
  }

  async property(name: string): Promise<DbusValue> {
    const from = { ...manager, interface: 'org.freedesktop.DBus.Properties' }
    const values = [manager.interface, name]
    const [answer] = await this.#bus.call({ ...from, member: 'Get', signature: 'ss', values })
    return (answer as DbusVariant).value
  }

  /** Who delays the machine's end, as `who: why`. */
  async inhibitors(): Promise<readonly string[]> {
    const [list] = await this.#bus.call({ ...manager, member: 'ListInhibitors' })
    return (list as readonly (readonly string[])[]).map(([what, who, why, mode]) => `${what} ${mode} ${who}: ${why}`)
  }

  /** What `systemctl poweroff` asks for. Resolves with the unit that systemd is to start, once it is. */
  async powerOff(): Promise<string> {
    const started = Promise.withResolvers<string>()
    this.#onStart = started.resolve
    await this.#bus.call({ ...manager, member: 'PowerOff', signature: 'b', values: [false] })
    return started.promise
  }

  /** The job that was to end the machine is no more. */
  callOff(): void {
    const values = [1, jobPath, 'poweroff.target', 'canceled']
    const from = { path: '/org/freedesktop/systemd1', interface: 'org.freedesktop.systemd1.Manager' }
    this.#bus.send({ type: 'signal', ...from, member: 'JobRemoved', signature: 'uoss', values })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killLogind()
    this.#bus.close()
    const ended = once(this.#daemon, 'exit')
    this.#daemon.kill()
    await ended
    await rm(this.#folder, { recursive: true, force: true })
  }

  #answer({ message, serial }: DbusArrival): void {
    if (message.type !== 'call') return
    const reply = { destination: message.sender ?? '', replySerial: serial }
    this.#bus.send({ ...this.#systemd(message), ...reply })
  }

  #systemd({ member, values = [] }: DbusMessage): DbusMessage {
    switch (member) {
      case 'Get':
        return { type: 'return', signature: 'v', values: [{ signature: 's', value: 'loaded' }] }
      case 'KillUnit':
        this.#logind?.kill('SIGHUP')
        return { type: 'return' }
      case 'StartUnit':
        this.#onStart(values[0] as string)
        return { type: 'return', signature: 'o', values: [jobPath] }
      default:
        return { type: 'error', errorName: 'org.freedesktop.DBus.Error.UnknownMethod' }
    }
  }
}
