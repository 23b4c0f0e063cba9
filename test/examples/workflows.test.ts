import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { report } from '../../examples/workflows/report.js'
import type { WorkflowProfile } from '../../lib/index.js'

const main = fileURLToPath(new URL('../../examples/workflows/main.ts', import.meta.url))
const [JOBS, SCALE] = [2, 0.5]
const KINDS = 5

test('what the job runner learns of its jobs is within 5 % of what the kernel says', async () => {
  const before = readdirSync(tmpdir())
  const child = spawn(process.execPath, ['--import', 'tsx', main, String(JOBS), String(SCALE)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  const [code] = await once(child, 'close')
  assert.is(code, 0, output)
  assert.match(output, /all agree with the kernel within 5 %: yes/)
  const measured = [...output.matchAll(/measured: (\d+) ms.*\n {2}kernel: (\d+) ms/g)].map(found => found.slice(1).map(Number))
  assert.is(measured.length, KINDS, output)
  for (const [own, kernel] of measured as [number, number][]) assert.ok(own > 0 && Math.abs(own - kernel) <= 0.05 * kernel + 1, output)
  assert.is([...output.matchAll(new RegExp(`, ${JOBS} runs`, 'g'))].length, KINDS)
  const left = readdirSync(tmpdir()).filter(name => name.startsWith('workflows-') && !before.includes(name))
  assert.equal(left, [])
})

test('the report says no where forelock and the kernel differ by more', () => {
  const profile = { id: 'w', type: 't', duration: undefined, requirements: {}, samples: 1, actions: [] } as unknown as WorkflowProfile
  const said = (measured: number) => report({ profile, place: 'worker thread', measured, points: 0, accounts: { a: 60, b: 40 } })
  assert.ok(said(104.9).agrees && said(95.1).agrees)
  for (const measured of [105.1, 94.9, 0]) {
    const { text, agrees } = said(measured)
    assert.not(agrees)
    assert.match(text, /within 5 %: no/)
  }
})

test.run()
