import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { create, toBinary } from '@bufbuild/protobuf'
import grpc from '@grpc/grpc-js'
import type { Client } from '#client/client.ts'
import { manualClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { DraDrivers } from './dra-drivers.ts'
import { HealthStatus, NodeWatchResourcesResponseSchema } from './generated/dra-health_pb.ts'

type Stream = grpc.ServerWritableStream<Buffer, Buffer>

/** Serves what a driver says of its devices on a socket of its own. */
async function startHealthService(socket: string, onStream: (stream: Stream) => void): Promise<grpc.Server> {
  const server = new grpc.Server()
  const asIs = (bytes: Buffer): Buffer => bytes
  const definition: grpc.MethodDefinition<Buffer, Buffer> = {
    path: '/v1alpha1.DRAResourceHealth/NodeWatchResources',
    ...{ requestStream: false, responseStream: true },
    ...{ requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs },
  }
  server.addService({ NodeWatchResources: definition }, { NodeWatchResources: onStream as grpc.UntypedHandleCall })
  await new Promise<void>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure()
    server.bindAsync(`unix://${socket}`, credentials, (error) => (error ? reject(error) : resolve()))
  })
  return server
}

function saying(health: HealthStatus): Buffer {
  const devices = [{ device: { poolName: 'p', deviceName: 'a' }, health, healthCheckTimeoutSeconds: 60n }]
  return Buffer.from(toBinary(NodeWatchResourcesResponseSchema, create(NodeWatchResourcesResponseSchema, { devices })))
}

test('a driver that serves it is asked how its devices are, until it goes', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'coracle-dra-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const endpoint = join(folder, 'dra.sock')
  const streams = Promise.withResolvers<Stream>()
  const server = await startHealthService(endpoint, streams.resolve)
  t.after(() => server.forceShutdown())
  let told = Promise.withResolvers<void>()
  const drivers = new DraDrivers({
    ...{ client: {} as Client, clock: manualClock(), log: silentLog, nodeName: 'n' },
    onArrival: () => undefined,
    onHealth: () => told.resolve(),
  })
  t.after(() => drivers.stop())
  await drivers.register({ name: 'd.e', endpoint, supportedVersions: ['v1.DRAPlugin'] })
  const stream = await streams.promise
  for (const [health, expected] of [
    [HealthStatus.HEALTHY, 'Healthy'],
    [HealthStatus.UNHEALTHY, 'Unhealthy'],
  ] as const) {
    told = Promise.withResolvers()
    stream.write(saying(health))
    await told.promise
    assert.equal(drivers.health.of('d.e', 'p', 'a'), expected)
  }
  await drivers.deregister('d.e')
  assert.equal(drivers.health.of('d.e', 'p', 'a'), 'Unknown')
})
