/**
 * Writes `src/kubelet/cri/generated/`: the protobuf messages and services of the container runtime interface v1 (from
 * `src/kubelet/cri/cri-v1.json`) and of containerd's event stream. `--check` fails when the folder is stale.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface CriFacts {
  readonly package: string
  readonly messages: Readonly<Record<string, Readonly<Record<string, readonly [number, string]>>>>
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly services: Readonly<Record<string, Readonly<Record<string, readonly [string, string]>>>>
}

const room = join(import.meta.dirname, '../src/kubelet/cri')
const output = join(room, 'generated')
const facts = JSON.parse(readFileSync(join(room, 'cri-v1.json'), 'utf8')) as CriFacts

/** The calls that the kubelet makes. What only others need is left out: it would be loaded with every start. */
const usedCalls = new Set(
  `Version RunPodSandbox StopPodSandbox RemovePodSandbox PodSandboxStatus ListPodSandbox CreateContainer StartContainer
   StopContainer RemoveContainer ListContainers ContainerStatus UpdateContainerResources ReopenContainerLog ExecSync Exec
   Attach PortForward ListContainerStats Status ListImages ImageStatus PullImage RemoveImage ImageFsInfo`.split(/\s+/),
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

function generate(): Map<string, string> {
  const work = mkdtempSync(join(tmpdir(), 'coracle-cri-'))
  try {
    mkdirSync(join(work, 'proto'))
    writeFileSync(join(work, 'proto/cri.proto'), protoText(usedFacts(facts)))
    writeFileSync(join(work, 'proto/containerd-events.proto'), containerdEvents)
    const plugin = {
      local: [process.execPath, join(import.meta.dirname, '../node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es')],
      out: 'out',
      opt: ['target=ts', 'erasable_syntax=true', 'import_extension=ts'],
    }
    const template = JSON.stringify({ version: 'v2', inputs: [{ directory: 'proto' }], plugins: [plugin] })
    const buf = join(import.meta.dirname, '../node_modules/@bufbuild/buf/bin/buf')
    execFileSync(process.execPath, [buf, 'generate', '--template', template], { cwd: work, stdio: 'inherit' })
    const names = readdirSync(join(work, 'out')).sort()
    // Comments only repeat the facts, and every start would have to read past them.
    const lean = (text: string): string => text.replaceAll(/^ *\/\*\*[^]*?\*\/\n/gm, '')
    return new Map(names.map((name) => [name, lean(readFileSync(join(work, 'out', name), 'utf8'))]))
  } finally {
    rmSync(work, { recursive: true })
  }
}

const files = generate()
if (process.argv.includes('--check')) {
  const current = readdirSync(output).sort()
  const stale = [...files].filter(
    ([name, text]) => !current.includes(name) || readFileSync(join(output, name), 'utf8') !== text,
  )
  if (stale.length > 0 || current.length !== files.size) {
    process.stderr.write('src/kubelet/cri/generated is stale: run node scripts/generate-cri.ts\n')
    process.exitCode = 1
  }
} else {
  rmSync(output, { recursive: true, force: true })
  mkdirSync(output, { recursive: true })
  for (const [name, text] of files) writeFileSync(join(output, name), text)
}
