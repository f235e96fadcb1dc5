/** What one room may import besides itself. Imports point downwards only; rooms of one level never see each other. */
export interface Room {
  readonly rooms: readonly string[]
  /** npm packages. A new one needs a decision record in `docs/decisions/`. */
  readonly packages: readonly string[]
}

const control = ['lib', 'api', 'client', 'reconcile']
const certificates = ['@peculiar/x509', 'reflect-metadata']
const grpc = ['@grpc/grpc-js', '@bufbuild/protobuf']

/** The import table of the project: each folder of `src/` is a row. */
export const rooms: Readonly<Record<string, Room>> = {
  lib: {
    rooms: [],
    packages: [...certificates, ...grpc, 'fast-json-patch', 'ip-address', 'jose', 'js-yaml', 're2js', 'ws'],
  },
  api: { rooms: ['lib'], packages: ['fast-json-patch', 'ip-address', 're2js'] },
  storage: { rooms: ['lib'], packages: grpc },
  client: { rooms: ['lib', 'api'], packages: ['js-yaml', 'ws'] },
  reconcile: { rooms: ['lib', 'api', 'client'], packages: [] },
  apiserver: {
    rooms: ['lib', 'api', 'storage'],
    packages: [...certificates, 'fast-json-patch', 'ip-address', 'jose', 'js-yaml', 're2js', 'ws'],
  },
  controllers: { rooms: control, packages: [] },
  scheduler: { rooms: control, packages: [] },
  kubelet: { rooms: control, packages: [...certificates, ...grpc, 'ws'] },
  network: { rooms: control, packages: ['ip-address'] },
  metrics: { rooms: control, packages: [] },
  cli: { rooms: control, packages: ['js-yaml', 'ws'] },
  host: { rooms: control, packages: [...certificates, ...grpc, 'jose', 'js-yaml'] },
  main: {
    rooms: [
      ...control,
      'storage',
      'apiserver',
      'controllers',
      'scheduler',
      'kubelet',
      'network',
      'metrics',
      'cli',
      'host',
    ],
    packages: [...certificates, ...grpc, 'jose', 'js-yaml', 'ws'],
  },
}

/** Folders inside one room that are rooms to each other: they never import one another. */
export const apart: readonly (readonly string[])[] = [['network/proxy', 'network/dns', 'network/cni', 'network/policy']]

/** Built-in modules that reach outside the process; `api` is pure and may not use them. */
export const impureBuiltIns =
  /^node:(child_process|cluster|dgram|dns|fs|http|http2|https|net|os|process|sqlite|tls|worker_threads)\b/

/** The room of a path below `src/`; nothing for other folders. */
export function roomOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1]
}
