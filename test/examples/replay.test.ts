import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const main = fileURLToPath(new URL('../../examples/replay/main.ts', import.meta.url))

test('the generated day is played under four policies, said to be generated, and drawn', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'forelock-replay-'))
  const page = join(folder, 'page.html')
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', main, 'generated', page])
  assert.match(stdout, /GENERATED, nobody recorded it/)
  for (const policy of ['reactive', 'static', 'predictive', 'oracle']) assert.match(stdout, new RegExp(`^  ${policy} .*interactive`, 'm'))
  assert.ok(stdout.includes(`charts: ${page}`))
  assert.match(readFileSync(page, 'utf8'), /<svg/)
  rmSync(folder, { recursive: true })
})

test.run()
