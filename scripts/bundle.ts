/**
 * Joins the command line's several hundred modules into few files under `.cache/bundle`, which Node loads in half the
 * time and with less memory. The launcher runs it when a source file is newer than the bundle. Files that code finds
 * beside itself (facts, workers) stay where they are: `import.meta` keeps pointing to the source. Each build has a
 * folder of its own, which `stamp` names; older ones go once no process runs from them.
 */
import { readFileSync } from 'node:fs'
import { mkdir, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'

const root = join(import.meta.dirname, '..')
const bundles = join(root, '.cache/bundle')
const stamp = join(bundles, 'stamp')
const startedAt = new Date()
const buildName = `build-${startedAt.getTime().toString(36)}-${process.pid}`
const folder = join(bundles, buildName)

const sourcePlaces: Plugin = {
  name: 'source-places',
  setup(bundler) {
    bundler.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
      return { loader: 'ts', contents: text }
    })
  },
}

/**
 * Node's own modules as values instead of ES modules: Node makes an ES module of each by reading all its members, and
 * reading all of `node:http` alone loads undici, 10 % of a start. Here only the members are read that something names.
 */
const builtInPlaces: Plugin = {
  name: 'built-in-places',
  setup(bundler) {
    // What is loaded on demand stays a module: its members are looked for by name.
    bundler.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'built-in' } : { path, external: true },
    )
    bundler.onLoad({ filter: /./, namespace: 'built-in' }, ({ path }) => {
      const module = `process.getBuiltinModule(${JSON.stringify(path)})`
      const members = Object.keys(process.getBuiltinModule(path) as object).filter((name) => /^[a-z]\w*$/i.test(name))
      const lines = members
        .filter((name) => name !== 'default')
        .map((name, index) => `const $${index} = /* @__PURE__ */ (() => $.${name})(); export { $${index} as ${name} };`)
      return { loader: 'js', contents: [`const $ = ${module}; export default $;`, ...lines].join('\n') }
    })
  },
}

/** Packages that a node loads at every start: from many small files they cost 10 MB of memory more than from one. */
const joined = new Set([
  '@grpc/grpc-js',
  '@bufbuild/protobuf',
  '@bufbuild/protobuf/codegenv2',
  '@bufbuild/protobuf/wkt',
])

/** Packages stay where they are, except the joined ones with all they need themselves. */
const packagePlaces: Plugin = {
  name: 'package-places',
  setup(bundler) {
    bundler.onResolve({ filter: /^[^./#]/ }, ({ path, importer }) => {
      const isOutside = !importer.includes('/node_modules/') && !joined.has(path)
      return isOutside && importer !== '' ? { path, external: true } : undefined
    })
  },
}

await mkdir(folder, { recursive: true })
await build({
  absWorkingDir: root,
  entryPoints: ['src/main/cli.ts'],
  outdir: folder,
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node26',
  // V8 keeps the text of what it has loaded. Names stay: stack traces are read.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  // What joined packages call `require` for are Node's own modules.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  logLevel: 'warning',
  plugins: [sourcePlaces, builtInPlaces, packagePlaces],
})
await announce()
await removeOldBuilds()

/** Makes this build the one that runs. A source that changed meanwhile is newer than the stamp. */
async function announce(): Promise<void> {
  const fresh = join(folder, 'stamp')
  await writeFile(fresh, `${buildName}\n`)
  await utimes(fresh, startedAt, startedAt)
  await rename(fresh, stamp)
}

/** What old builds have not loaded yet they may still load: the launcher's variable tells whose build is whose. */
async function removeOldBuilds(): Promise<void> {
  const inUse = new Set([buildName, ...(await buildsInUse())])
  for (const name of await readdir(bundles)) {
    if (name !== 'stamp' && !inUse.has(name)) await rm(join(bundles, name), { recursive: true, force: true })
  }
}

async function buildsInUse(): Promise<string[]> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  return processes.flatMap((pid) => {
    try {
      return /(?:^|\0)CORACLE_BUILD=([^\0]*)/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'))?.[1] ?? []
    } catch {
      // Ended, or somebody else's.
      return []
    }
  })
}
