import type { ChangeEvent } from '#storage/store.ts'
import type { BootstrapStore } from '../bootstrap/bootstrap-store.ts'
import { storagePrefix } from '../registry/served-resource.ts'
import type { ServerParts } from '../server-parts.ts'
import { AvailabilityController } from './availability-controller.ts'
import { CustomRegistration } from './custom-registration.ts'

const registeringPrefixes = [
  storagePrefix('apiextensions.k8s.io', 'customresourcedefinitions'),
  storagePrefix('apiregistration.k8s.io', 'apiservices'),
]

/** What keeps APIServices in order inside the server. */
export interface AggregationControllers {
  start(): void
  changed(event: ChangeEvent | 'reset'): void
  close(): Promise<void>
}

export function aggregationControllers(server: ServerParts, objects: BootstrapStore): AggregationControllers {
  const availability = new AvailabilityController(server, server.aggregation)
  const registration = new CustomRegistration(server, objects)
  let isStarted = false
  return {
    start() {
      isStarted = true
      availability.start()
      registration.changed()
    },
    changed(event) {
      if (!isStarted) return
      if (event === 'reset') {
        availability.reset()
        registration.changed()
        return
      }
      availability.changed(event)
      if (registeringPrefixes.some((prefix) => event.key.startsWith(prefix))) registration.changed()
    },
    async close() {
      await availability.close()
      await registration.close()
    },
  }
}
