import { readdirSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SUITES } from '../../../lib/backtest/suites.js'

test('no two suites have one name, and each is listed', () => {
  const names = SUITES.map(({ name }) => name.replaceAll('_', '-'))
  assert.is(new Set(names).size, names.length)
  const files = readdirSync(new URL('../../../lib/backtest/suites', import.meta.url)).map(file => file.replace('.ts', ''))
  for (const file of files) {
    const isListed = names.some(name => name.startsWith(file))
    assert.ok(isListed, `${file} is not listed`)
  }
})

test('each says what it was set on', () => {
  for (const { title, settings } of SUITES) assert.ok(title.length > 10 && settings.length > 10)
})

test.run()
