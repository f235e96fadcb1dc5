/**
 * Builds the images of the cluster tests into `.cache/images.tar`, one OCI archive with all of them, from Debian's
 * packages and no registry. Run as a program it prints the archive's path and the images' names.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ociArchive } from '#lib/oci-archive.ts'
import { testImages } from './catalog.ts'

const root = join(import.meta.dirname, '../..')
const recipe = ['build', 'catalog', 'image-files'].map((name) => `test/images/${name}.ts`)
const archivePath = join(root, '.cache/images.tar')

/** The path of the archive with every test image; built when the recipe has changed since it was built last. */
export async function testImageArchive(): Promise<string> {
  const stamp = recipeDigest()
  const stampPath = `${archivePath}.recipe`
  if (existsSync(archivePath) && existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp) return archivePath
  await mkdir(dirname(archivePath), { recursive: true })
  await writeFile(`${archivePath}.new`, ociArchive(await testImages()))
  await rename(`${archivePath}.new`, archivePath)
  await writeFile(stampPath, stamp)
  return archivePath
}

function recipeDigest(): string {
  const digest = createHash('sha256')
  for (const name of [...recipe, 'src/lib/oci-archive.ts', 'src/lib/tar.ts'])
    digest.update(readFileSync(join(root, name)))
  return digest.digest('hex')
}

if (import.meta.main) process.stdout.write(`${await testImageArchive()}\n`)
