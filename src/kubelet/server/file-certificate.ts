import { readFile, watch } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { KeyPair } from '#lib/x509/certificate.ts'
import type { ServingCertificate } from './serving-certificate.ts'

export interface FileCertificateOptions {
  readonly certificateFile: string
  readonly keyFile: string
  readonly clock: Clock
  readonly log: Log
  /** Ends following the files. */
  readonly signal: AbortSignal
}

/** Whoever renews a certificate writes two files. */
const settleMs = 200

/** A certificate that somebody else keeps in files, followed as they change. Rejects when they cannot be read. */
export async function fileCertificate(options: FileCertificateOptions): Promise<ServingCertificate> {
  const { certificateFile, keyFile, log } = options
  let current = await readPair(options).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`failed to load x509 key pair from ${certificateFile} and ${keyFile}: ${why}`)
  })
  const listeners = new Set<(pair: KeyPair) => void>()
  const look = async (): Promise<void> => {
    const pair = await readPair(options).catch((error: unknown) => {
      log.warn('The certificate of the server could not be read again', { error })
      return current
    })
    if (pair.certificate === current.certificate && pair.key === current.key) return
    current = pair
    for (const install of listeners) install(pair)
  }
  void follow(options, look)
  return {
    get current() {
      return current
    },
    listen(install) {
      listeners.add(install)
      return () => void listeners.delete(install)
    },
  }
}

async function readPair({ certificateFile, keyFile }: FileCertificateOptions): Promise<KeyPair> {
  const [certificate, key] = await Promise.all([readFile(certificateFile, 'utf8'), readFile(keyFile, 'utf8')])
  return { certificate, key }
}

async function follow(options: FileCertificateOptions, look: () => Promise<void>): Promise<void> {
  const { certificateFile, keyFile, clock, signal, log } = options
  const folders = new Set([dirname(certificateFile), dirname(keyFile)])
  const following = [...folders].map(async (folder) => {
    for await (const _change of watch(folder, { signal, persistent: false })) {
      await clock.sleep(settleMs, signal)
      await look()
    }
  })
  await Promise.all(following).catch((error: unknown) => {
    if (!signal.aborted) log.warn('The certificate of the server is not followed any more', { error })
  })
}
