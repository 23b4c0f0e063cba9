import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const main = fileURLToPath(new URL('../../examples/service/main.ts', import.meta.url))

test('the service answers all that it is asked, without and with an agent', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', main, '2'])
  const rows = [...stdout.matchAll(/^(reactive|predictive) +(interactive|background) +(\d+) requests/gm)].map(([, name, tier, count]) => ({
    name,
    tier,
    count: Number(count)
  }))
  assert.equal(
    rows.map(({ name, tier }) => `${name} ${tier}`),
    ['reactive interactive', 'reactive background', 'predictive interactive', 'predictive background']
  )
  // The same requests, and none was lost.
  assert.equal([rows[0]?.count, rows[1]?.count], [rows[2]?.count, rows[3]?.count])
  assert.ok((rows[0]?.count ?? 0) > 10)
  assert.match(stdout, /^\d+ plans; \d+ requests were granted what was kept for them$/m)
})

test.run()
