import { addMatch, type DbusConnection } from '#lib/dbus/connection.ts'
import type { DbusVariant } from '#lib/dbus/value.ts'

export interface LoginManagerEvents {
  /** The machine is about to go down, or stays after all. */
  onPrepareForShutdown(isGoingDown: boolean): void
  /** Another systemd-logind has taken the place of the former. */
  onRestart(): void
}

const manager = {
  destination: 'org.freedesktop.login1',
  path: '/org/freedesktop/login1',
  interface: 'org.freedesktop.login1.Manager',
}
const systemd = {
  destination: 'org.freedesktop.systemd1',
  path: '/org/freedesktop/systemd1',
  interface: 'org.freedesktop.systemd1.Manager',
}
const hangup = 1

/** What a node wants of systemd-logind, said over the system bus. */
export class LoginManager {
  readonly #bus: DbusConnection

  constructor(bus: DbusConnection) {
    this.#bus = bus
  }

  /** How long it waits for those who delay the machine's end, at most. */
  async inhibitDelayMs(): Promise<number> {
    return Number(await this.#property('InhibitDelayMaxUSec')) / 1000
  }

  /** Whether the machine's end has been announced already. */
  async isPreparingForShutdown(): Promise<boolean> {
    return (await this.#property('PreparingForShutdown')) === true
  }

  /** Makes it read its configuration again. */
  async reload(): Promise<void> {
    const values = ['systemd-logind.service', 'all', hangup]
    await this.#bus.call({ ...systemd, member: 'KillUnit', signature: 'ssi', values })
  }

  /** Hears from it for as long as the bus is there. */
  async listen({ onPrepareForShutdown, onRestart }: LoginManagerEvents): Promise<void> {
    this.#bus.listen(({ message: { type, interface: from, member, values: [first, , newOwner] = [] } }) => {
      if (type !== 'signal') return
      if (from === manager.interface && member === 'PrepareForShutdown') onPrepareForShutdown(first === true)
      const isOwner = from === 'org.freedesktop.DBus' && member === 'NameOwnerChanged'
      if (isOwner && first === manager.destination && newOwner !== '') onRestart()
    })
    await addMatch(this.#bus, `type='signal',interface='${manager.interface}',member='PrepareForShutdown'`)
    const names = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'"
    await addMatch(this.#bus, `${names},arg0='${manager.destination}'`)
  }

  async #property(name: string): Promise<DbusVariant['value']> {
    const [answer] = await this.#bus.call({
      ...manager,
      interface: 'org.freedesktop.DBus.Properties',
      member: 'Get',
      signature: 'ss',
      values: [manager.interface, name],
    })
    return (answer as DbusVariant).value
  }
}
