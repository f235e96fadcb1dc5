/** An extender as KubeSchedulerConfiguration v1 describes it, with its defaults filled in. */
export interface ExtenderSettings {
  readonly urlPrefix: string
  readonly filterVerb: string
  readonly prioritizeVerb: string
  readonly preemptVerb: string
  readonly bindVerb: string
  readonly weight: number
  readonly tls: ExtenderTls
  readonly timeoutMs: number
  /** It knows the nodes itself: only their names are sent. */
  readonly nodeCacheCapable: boolean
  readonly ignorable: boolean
  readonly managedResources: readonly { readonly name: string; readonly ignoredByScheduler: boolean }[]
}

/** PEM texts, and whether the extender's certificate is to be believed unseen. */
export interface ExtenderTls {
  readonly insecure: boolean
  readonly serverName?: string | undefined
  readonly ca?: string | undefined
  readonly certificate?: string | undefined
  readonly key?: string | undefined
}

/** Posts a JSON body to an extender and answers the JSON that comes back; rejects where there is none in time. */
export type ExtenderCaller = (call: {
  readonly url: string
  readonly body: object
  readonly timeoutMs: number
  readonly tls: ExtenderTls
}) => Promise<unknown>
