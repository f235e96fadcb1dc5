import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { OciImage } from '#lib/oci-archive.ts'
import { tarArchive } from '#lib/tar.ts'
import type { TarEntry } from '#lib/tar.ts'
import { unpackDebianPackages } from '../../scripts/debian-packages.ts'
import { copied, directory, sharedLibraries, textFile } from './image-files.ts'

const busyboxPackages = ['busybox-static']
const nginxPackages = ['nginx', 'libnginx-mod-stream', 'libc6', 'libcrypt1', 'libpcre2-8-0', 'libssl3', 'zlib1g']
const httpPort = { '80/tcp': {} }
const echoPorts = { '8080/tcp': {}, '8080/udp': {} }

/** Every image that the cluster tests use; none of them exists in any registry. */
export async function testImages(): Promise<OciImage[]> {
  const busybox = await busyboxLayer()
  const nginx = tarArchive(await nginxFiles())
  const layered = (reference: string, top: TarEntry[], config: OciImage['config']): OciImage => {
    return { reference, architecture: 'amd64', layers: [busybox, nginx, tarArchive(top)], config }
  }
  const serve = { Entrypoint: ['/usr/sbin/nginx'], StopSignal: 'SIGQUIT' }
  const web = (version: string): OciImage =>
    layered(`coracle.test/nginx:${version}`, webFiles(version), { ...serve, ExposedPorts: httpPort })
  return [
    {
      reference: 'coracle.test/busybox:1',
      architecture: 'amd64',
      layers: [busybox],
      config: { Cmd: ['sh'], Env: path },
    },
    {
      reference: 'coracle.test/entrypoint:1',
      architecture: 'amd64',
      layers: [busybox],
      config: { Entrypoint: ['/bin/echo', 'entrypoint'], Cmd: ['default', 'arguments'], Env: path },
    },
    web('1'),
    web('2'),
    layered('coracle.test/echo:1', echoFiles(), { ...serve, ExposedPorts: echoPorts }),
  ]
}

/** A file system with nothing but busybox. */
export async function busyboxLayer(): Promise<Uint8Array> {
  return tarArchive(await busyboxFiles())
}

const path = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin']

async function busyboxFiles(): Promise<TarEntry[]> {
  const [folder = ''] = await unpackDebianPackages('bookworm', busyboxPackages)
  const binary = join(folder, 'bin/busybox')
  const applets = execFileSync(binary, ['--list'], { encoding: 'utf8' }).trim().split('\n').sort()
  return [
    ...['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'usr', 'usr/bin', 'usr/sbin', 'var', 'var/log'].map((name) =>
      directory(name),
    ),
    directory('tmp', 0o1777),
    copied('bin/busybox', [binary]),
    ...applets
      .filter((name) => name !== 'busybox')
      .map((name): TarEntry => ({ path: `bin/${name}`, kind: 'symlink', target: 'busybox' })),
    textFile('etc/passwd', ['root:x:0:0:root:/root:/bin/sh', 'nobody:x:65534:65534:nobody:/:/bin/false']),
    textFile('etc/group', ['root:x:0:', 'nogroup:x:65534:']),
    textFile('etc/nsswitch.conf', ['hosts: files dns']),
  ]
}

const nginxFolders =
  'lib lib64 usr/lib usr/lib/nginx usr/lib/nginx/modules usr/share usr/share/nginx etc/nginx var/log/nginx var/lib var/lib/nginx run srv'.split(
    ' ',
  )

async function nginxFiles(): Promise<TarEntry[]> {
  const folders = await unpackDebianPackages('bookworm', nginxPackages)
  const program = join(folders[0] ?? '', 'usr/sbin/nginx')
  const streamModule = 'usr/lib/nginx/modules/ngx_stream_module.so'
  return [
    ...nginxFolders.map((name) => directory(name)),
    copied('usr/sbin/nginx', [program]),
    copied(
      streamModule,
      folders.map((root) => join(root, streamModule)),
    ),
    ...sharedLibraries(program, folders),
  ]
}

/** What both servers share: foreground, as root, logs where the container runtime picks them up. */
const nginxHead = [
  'user root;',
  'daemon off;',
  'worker_processes 1;',
  'pid /run/nginx.pid;',
  'error_log /dev/stderr notice;',
  'events { worker_connections 1024; }',
]

function webFiles(version: string): TarEntry[] {
  return [
    textFile('srv/index.html', [`coracle test nginx version ${version}`]),
    textFile('etc/nginx/nginx.conf', [
      ...nginxHead,
      'http {',
      '  access_log /dev/stdout;',
      '  default_type text/plain;',
      '  server { listen 80; root /srv; }',
      '}',
    ]),
  ]
}

/** What a gRPC health service answers: SERVING, framed as one message. */
const servingMessage = Buffer.from([0, 0, 0, 0, 2, 0x08, 1])

/**
 * Answers every request on TCP and UDP port 8080 with who answered and who asked, one `key=value` a line. `/ready` is
 * 200 as long as the file `/srv/ready` exists, so that a test can fail a probe by removing it; `/elsewhere` and `/here`
 * lead to another host and to `/ready`. On port 5000 gRPC is spoken, as far as health checks go.
 */
function echoFiles(): TarEntry[] {
  const answer = [
    'hostname=$hostname',
    'server=$server_addr:$server_port',
    'client=$remote_addr:$remote_port',
    'method=$request_method',
    'uri=$request_uri',
    'host=$http_host',
    'forwarded=$http_x_forwarded_for',
  ]
  const lines = answer.map((line) => `${line}\n`).join('')
  return [
    textFile('srv/ready', ['ready']),
    { path: 'srv/serving', kind: 'file', content: servingMessage, mode: 0o644 },
    textFile('etc/nginx/nginx.conf', [
      'load_module /usr/lib/nginx/modules/ngx_stream_module.so;',
      ...nginxHead,
      'http {',
      '  access_log /dev/stdout;',
      '  default_type text/plain;',
      '  server {',
      '    listen 8080;',
      '    location = /ready { root /srv; }',
      '    location = /elsewhere { return 302 http://192.0.2.1:8080/; }',
      '    location = /here { return 302 http://$http_host/ready; }',
      `    location / { return 200 "${lines}"; }`,
      '  }',
      '  server {',
      '    listen 5000 http2;',
      // A POST cannot be answered from a file; an error page can.
      '    location = /grpc.health.v1.Health/Check { error_page 418 =200 /serving; return 418; }',
      '    location = /serving { root /srv; types {} default_type application/grpc; add_trailer grpc-status 0; }',
      '  }',
      '}',
      'stream {',
      '  server { listen 8080 udp; return "hostname=$hostname\\n"; }',
      '}',
    ]),
  ]
}
