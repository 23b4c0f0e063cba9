import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { importModule as importCommonjs } from '../../../lib/native/import-module.commonjs.js'
import { importModule } from '../../../lib/native/import-module.js'

test('both ways of writing it import the same', async () => {
  assert.is((await importModule<typeof import('node:path')>('node:path')).join, join)
  assert.is((await importCommonjs<typeof import('node:path')>('node:path')).join, join)
})

test.run()
