import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { root, run, Workshop } from './tarball.js'

// npm run test:package packs a fresh copy of the project, which installs and compiles everything; npm test packs this one.
const FRESH = process.env.FORELOCK_PACK_FRESH === '1'

const installed = (name: string) => join(root, 'node_modules', '.bin', name)

const test = suite('package')
const workshop = new Workshop()
const shipped = (...path: string[]) => join(workshop.app, 'node_modules', 'forelock', ...path)
process.on('exit', () => workshop.close())

// Not in a before hook: uvu does not show what fails there.
const tarball = await workshop.pack(FRESH ? workshop.freshClone() : root)
const npmSaid = await workshop.install(tarball)

test('npm installs it without asking for leave to run a script', () => {
  assert.not.match(npmSaid, /forelock@/)
  assert.is(JSON.parse(readFileSync(shipped('package.json'), 'utf8')).scripts?.install, undefined)
})

test('it brings a prebuilt addon, and no build was made', () => {
  const [prebuild] = readdirSync(shipped('prebuilds', `${process.platform}-${process.arch}`))
  assert.match(prebuild ?? '', /^forelock\.(glibc|musl)\.node$/)
  assert.not(existsSync(shipped('build')))
})

test('it brings every source that binding.gyp names, and no tests', () => {
  const sources = readFileSync(shipped('native', 'sources.txt'), 'utf8')
    .split('\n')
    .map(line => line.replace(/#.*/, '').trim())
    .filter(line => line !== '')
  assert.ok(sources.length > 0)
  assert.equal(
    sources.filter(source => !existsSync(shipped(source))),
    []
  )
  assert.ok(existsSync(shipped('binding.gyp')))
  assert.not(existsSync(shipped('native', 'test')))
  assert.not(existsSync(shipped('test')))
})

test('it locks from an ES module, on the same arena as the CommonJS copy, which exports the same names', async () => {
  assert.is(await workshop.use('node', 'lock.mjs'), 'token bigint\nwhile held null\nnames true\n')
})

test('it locks from CommonJS, in a named arena', async () => {
  const name = `forelock-package-${process.pid}`
  assert.is(await workshop.use('node', 'lock.cjs', name), 'token bigint\nwhile held null\n')
  assert.match(await workshop.use('node', shipped('dist', 'esm', 'cli', 'forelock.js'), 'inspect', name), new RegExp(name))
  assert.is(await workshop.use('npm', 'exec', '--no', '--', 'forelock', 'unlink', name), `removed ${name}\n`)
})

test('a recorder has a thread, or a process, of its own from either copy, which says what it lacks', async () => {
  const said = 'ERR_FORELOCK_LOAD npm install @duckdb/node-api\n'
  assert.is(await workshop.use('node', '--no-warnings', 'record.mjs'), said.repeat(4))
})

test('its types are right for consumers of both kinds, and what they compile to runs', async () => {
  const typeRoots = join(root, 'node_modules', '@types')
  await run(installed('tsc'), ['-p', workshop.app, '--typeRoots', typeRoots], { cwd: workshop.app })
  assert.is(await workshop.use('node', 'out/lock.mjs'), 'token bigint\n')
  assert.is(await workshop.use('node', 'out/lock.cjs'), 'token bigint ForelockError\n')
})

test('publint finds nothing to say about it', async () => {
  assert.match(await run(installed('publint'), ['run', '--strict', tarball], { cwd: root }), /All good!/)
})

test('are-the-types-wrong finds nothing wrong', async () => {
  assert.match(await run(installed('attw'), [tarball, '--no-color', '--format', 'ascii'], { cwd: root }), /No problems found/)
})

if (FRESH) {
  test('it can be compiled from what it brings', async () => {
    await run(installed('node-gyp'), ['rebuild', '--nodedir', process.env.FORELOCK_NODEDIR ?? ''], { cwd: shipped() })
    assert.is(await workshop.use('node', 'lock.mjs'), 'token bigint\nwhile held null\nnames true\n')
  })
}

test.run()
