import type { KubernetesObject } from '#api/meta/resource.ts'

/** Writes Events about objects. Never throws and never waits: a lost event must not stop the work it tells of. */
export interface EventRecorder {
  /** `reason` is a CamelCase word kubectl users know; repeats of one message about one object are counted, not added. */
  record(
    about: KubernetesObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    options?: RecordOptions,
  ): void
  /** The same recorder under another `reportingComponent`. */
  from(component: string): EventRecorder
}

export interface RecordOptions {
  /** The part of the object the event is about, such as `spec.containers{web}`. */
  readonly fieldPath?: string
}
