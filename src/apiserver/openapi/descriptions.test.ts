import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { builtInCatalog } from '#api/schema/catalog.ts'
import { descriptionsIn, noDescriptions } from './descriptions.ts'
import { parseDocComments } from './doc-comments.ts'
import { openApiV2, openApiV3 } from './documents.ts'

const licence = '/**\n * Kubernetes\n * Generated.\n */\n'
const eventFile = `${licence}/**
* Event tells of \\"something\\".
*
* At most */ hour old.
*/
export declare class CoreV1Event {
    /**
    * What an object is.
    */
    'metadata': V1ObjectMeta;
    /**
    * Where to go on, a glob such as *_/5.
    */
    '_continue'?: string;
    'undocumented'?: string;
    static readonly discriminator: string | undefined;
}
`.replace('*/ hour', 'an hour')

test('comments of classes and members are read, without what the generator added', () => {
  assert.deepEqual(parseDocComments(eventFile), [
    { member: '', text: 'Event tells of "something".\n\nAt most an hour old.' },
    { member: 'metadata', text: 'What an object is.' },
    { member: '_continue', text: 'Where to go on, a glob such as */5.' },
  ])
})

test('descriptions are found by type, and documents are whole without them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'descriptions-'))
  writeFileSync(join(folder, 'CoreV1Event.d.ts'), eventFile)
  const found = descriptionsIn(folder, '1')
  assert.equal(found.of('io.k8s.api.core.v1.Event', 'continue'), 'Where to go on, a glob such as */5.')
  assert.equal(found.of('io.k8s.api.core.v1.Event', 'undocumented'), undefined)
  assert.equal(found.of('io.k8s.api.core.v1.Pod', ''), undefined)
  assert.equal(found.of('io.k8s.api.core.v1.../../Event', ''), undefined)
  const resources = builtInCatalog().inVersion('', 'v1')
  const properties = { metadata: { description: 'What an object is.' } }
  const v3 = { components: { schemas: { 'io.k8s.api.core.v1.Event': { properties } } } }
  assert.partialDeepStrictEqual(openApiV3(resources, [], found), v3)
  const reference = { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }
  const v2 = {
    definitions: { 'io.k8s.api.core.v1.Event': { properties: { metadata: { ...properties.metadata, ...reference } } } },
  }
  assert.partialDeepStrictEqual(openApiV2(builtInCatalog().resources, [], found), v2)
  assert.ok(!JSON.stringify(openApiV3(resources, [], noDescriptions)).includes('What an object is.'))
  rmSync(folder, { recursive: true })
})
