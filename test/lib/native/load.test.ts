import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { load, loadAddon } from '../../../lib/native/load.js'
import { isCoded, thrown } from '../support.js'

const folder = mkdtempSync(join(tmpdir(), 'forelock-load-'))
test.after(() => rmSync(folder, { recursive: true }))

test('the addon is loaded once', () => {
  assert.is(loadAddon(), loadAddon())
  assert.type(loadAddon().version, 'string')
})

test('outside of the package, as in a bundle, the error says what to do', () => {
  const error = thrown(() => load(folder))
  isCoded(error, 'ERR_FORELOCK_LOAD')
  assert.match(error.message, /external/)
  assert.is(error.attempts.length, 1)
  assert.is(error.attempts[0].from, folder)
})

test('a package without a build for this machine says which, and how to make one', () => {
  const root = join(folder, 'bare')
  mkdirSync(join(root, 'dist'), { recursive: true })
  mkdirSync(join(root, 'node_modules', 'node-gyp-build'), { recursive: true })
  writeFileSync(join(root, 'package.json'), '{ "name": "forelock" }')
  writeFileSync(
    join(root, 'node_modules', 'node-gyp-build', 'index.js'),
    "module.exports = () => { throw new Error('No native build was found for platform=x') }"
  )
  const error = thrown(() => load(join(root, 'dist')))
  isCoded(error, 'ERR_FORELOCK_LOAD')
  assert.match(error.message, /No native build/)
  assert.match(error.message, new RegExp(`${process.platform}-${process.arch}`))
  assert.match(error.message, /node-gyp@12 rebuild/)
  assert.is(error.cause, error.attempts[0].error)
})

test('every attempt is in the error', () => {
  const root = join(folder, 'broken')
  mkdirSync(join(root, 'build-cmake', 'Release'), { recursive: true })
  mkdirSync(join(root, 'node_modules', 'node-gyp-build'), { recursive: true })
  writeFileSync(join(root, 'package.json'), '{ "name": "forelock" }')
  writeFileSync(join(root, 'node_modules', 'node-gyp-build', 'index.js'), "module.exports = () => { throw new Error('first') }")
  writeFileSync(join(root, 'build-cmake', 'Release', 'forelock.node'), 'no ELF file')
  const error = thrown(() => load(root))
  assert.is(error.attempts.length, 2)
  assert.match(error.message, /first/)
  assert.match(error.message, /forelock\.node/)
})

test.run()
