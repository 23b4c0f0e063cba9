import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readSeries } from '../../../lib/backtest/m4.js'

test('reads one series a line, without its name and the cells behind its end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'm4-'))
  try {
    const file = join(folder, 'a.csv')
    writeFileSync(file, '"V1","V2","V3"\n"H1","605","586.5"\n"H2","3124",""\n')
    assert.equal(await readSeries(file), [[605, 586.5], [3124]])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
