import { isPodTerminal } from '#api/core/v1/pod-facts.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import type { Snapshot } from './framework.ts'
import { NodeInfo, shareOf } from './node-info.ts'

/**
 * The scheduler's picture of nodes and bound pods, changed step by step with each watch event: the cost of a pod does
 * not grow with the pods already placed. Pods that were just bound are assumed to be where they go until the watch
 * confirms it.
 */
export class ClusterCache implements Snapshot {
  readonly #byName = new Map<string, NodeInfo>()
  #list: NodeInfo[] = []
  /** Where each known pod stands, by UID. */
  readonly #places = new Map<string, string>()
  /** Pods on nodes that are not known (yet), by node name. */
  readonly #waiting = new Map<string, Map<string, Pod>>()

  /** On how many nodes each image is. */
  readonly #imageNodes = new Map<string, number>()

  get nodes(): readonly NodeInfo[] {
    return this.#list
  }

  readonly nodesWithImage = (name: string): number => this.#imageNodes.get(name) ?? 0

  setNode(node: Node): void {
    const { name } = node.metadata
    const known = this.#byName.get(name)
    if (known) {
      this.#countImages(known, -1)
      known.setNode(node)
      this.#countImages(known, 1)
      return
    }
    const info = new NodeInfo(node)
    this.#countImages(info, 1)
    this.#byName.set(name, info)
    this.#list.push(info)
    for (const pod of this.#waiting.get(name)?.values() ?? []) info.add(shareOf(pod))
    this.#waiting.delete(name)
  }

  removeNode(name: string): void {
    const info = this.#byName.get(name)
    if (!info) return
    this.#byName.delete(name)
    this.#countImages(info, -1)
    this.#list = this.#list.filter((other) => other !== info)
    // Its pods live on in the API until they are collected, and count again if the node returns.
    if (info.pods.size > 0) this.#waiting.set(name, new Map([...info.pods].map(([uid, share]) => [uid, share.pod])))
  }

  /** A bound pod, seen or assumed. A finished pod takes nothing. */
  placePod(pod: Pod, nodeName: string): void {
    const { uid } = pod.metadata
    if (this.#places.get(uid) !== nodeName) this.removePod(uid)
    if (isPodTerminal(pod)) return this.removePod(uid)
    this.#places.set(uid, nodeName)
    const info = this.#byName.get(nodeName)
    if (info) info.add(shareOf(pod))
    else this.#waitingOn(nodeName).set(uid, pod)
  }

  removePod(uid: string): void {
    const nodeName = this.#places.get(uid)
    if (nodeName === undefined) return
    this.#places.delete(uid)
    this.#byName.get(nodeName)?.remove(uid)
    this.#waiting.get(nodeName)?.delete(uid)
  }

  isPlaced(uid: string): boolean {
    return this.#places.has(uid)
  }

  #countImages(info: NodeInfo, sign: 1 | -1): void {
    for (const name of info.images.keys()) {
      const count = (this.#imageNodes.get(name) ?? 0) + sign
      if (count > 0) this.#imageNodes.set(name, count)
      else this.#imageNodes.delete(name)
    }
  }

  #waitingOn(nodeName: string): Map<string, Pod> {
    const known = this.#waiting.get(nodeName)
    if (known) return known
    const made = new Map<string, Pod>()
    this.#waiting.set(nodeName, made)
    return made
  }
}
