/**
 * Writes `src/kubelet/cri/generated/`: the protobuf messages and services of the container runtime interface v1 (from
 * `src/kubelet/cri/cri-v1.json`) and of containerd's event stream. `--check` fails when the folder is stale.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { protobufCode, writeGenerated } from './protobuf-code.ts'

interface CriFacts {
  readonly package: string
  readonly messages: Readonly<Record<string, Readonly<Record<string, readonly [number, string]>>>>
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly services: Readonly<Record<string, Readonly<Record<string, readonly [string, string]>>>>
}

const room = join(import.meta.dirname, '../src/kubelet/cri')
const facts = JSON.parse(readFileSync(join(room, 'cri-v1.json'), 'utf8')) as CriFacts

/** The calls that the kubelet makes. What only others need is left out: it would be loaded with every start. */
const usedCalls = new Set(
  `Version RunPodSandbox StopPodSandbox RemovePodSandbox PodSandboxStatus ListPodSandbox CreateContainer StartContainer
   StopContainer RemoveContainer ListContainers ContainerStatus UpdateContainerResources CheckpointContainer ReopenContainerLog ExecSync Exec
   Attach PortForward ListContainerStats ListPodSandboxStats Status ListImages ImageStatus PullImage RemoveImage ImageFsInfo`.split(
    /\s+/,
  ),
)

/** The facts without calls that are not used, and without the messages and enums that only those need. */
function usedFacts({ package: name, messages, enums, services }: CriFacts): CriFacts {
  const isWindows = (kind: string): boolean => kind.startsWith('Windows')
  const kept = Object.entries(services).map(([service, calls]) => {
    return [service, Object.fromEntries(Object.entries(calls).filter(([call]) => usedCalls.has(call)))] as const
  })
  const reached = new Set<string>()
  const visit = (kind: string): void => {
    const plain = kind.replace(/^(repeated|stream) /, '')
    if (reached.has(plain) || isWindows(plain)) return
    reached.add(plain)
    for (const [, type] of Object.values(messages[plain] ?? {})) visit(type)
  }
  for (const [, calls] of kept) for (const types of Object.values(calls)) types.forEach(visit)
  const lean = Object.entries(messages).map(([message, fields]) => {
    const entries = Object.entries(fields).filter(([, [, kind]]) => !isWindows(kind.replace('repeated ', '')))
    return [message, Object.fromEntries(entries)] as const
  })
  return {
    package: name,
    messages: Object.fromEntries(lean.filter(([message]) => reached.has(message))),
    enums: Object.fromEntries(Object.entries(enums).filter(([type]) => reached.has(type))),
    services: Object.fromEntries(kept),
  }
}

/** containerd's `containerd.services.events.v1`, as far as the kubelet listens to it. */
const containerdEvents = `syntax = "proto3";
package containerd.services.events.v1;
import "google/protobuf/any.proto";
import "google/protobuf/timestamp.proto";
service Events { rpc Subscribe(SubscribeRequest) returns (stream Envelope); }
message SubscribeRequest { repeated string filters = 1; }
message Envelope {
  google.protobuf.Timestamp timestamp = 1;
  string namespace = 2;
  string topic = 3;
  google.protobuf.Any event = 4;
}
message TaskEvent { string container_id = 1; string id = 2; }
`

function protoText({ package: name, messages, enums, services }: CriFacts): string {
  const lines = ['syntax = "proto3";', `package ${name};`]
  // Two enums may use one value name, which protobuf forbids in one scope; prefixing keeps the numbers, which is all that travels.
  for (const [type, values] of Object.entries(enums)) {
    const rows = Object.entries(values).map(([value, number]) => `  ${type}_${value} = ${number};`)
    lines.push(`enum ${type} {`, ...rows, '}')
  }
  for (const [type, fields] of Object.entries(messages)) {
    const rows = Object.entries(fields).map(([field, [number, kind]]) => `  ${kind} ${field} = ${number};`)
    lines.push(`message ${type} {`, ...rows, '}')
  }
  for (const [service, calls] of Object.entries(services)) {
    const rows = Object.entries(calls).map(([call, [from, to]]) => `  rpc ${call}(${from}) returns (${to});`)
    lines.push(`service ${service} {`, ...rows, '}')
  }
  return `${lines.join('\n')}\n`
}

const files = protobufCode({ 'cri.proto': protoText(usedFacts(facts)), 'containerd-events.proto': containerdEvents })
writeGenerated(join(room, 'generated'), files, 'scripts/generate-cri.ts')
