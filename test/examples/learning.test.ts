import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const main = fileURLToPath(new URL('../../examples/learning/main.ts', import.meta.url))
const JOBS = 16

test('jobs are granted far less than was configured, by what is measured as the kernel does, and a second process knows', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', main, String(JOBS)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  const [code] = await once(child, 'close')
  assert.is(code, 0, output)
  assert.match(output, /as measured .*within 5 %: yes/)
  const ratio = (line: string) => Number(new RegExp(`${line} .* (\\d+\\.\\d+) x`).exec(output)?.[1])
  assert.ok(ratio('granted') < 0.7 * ratio('as configured'), output)
  const [, here, there] = /granted here\s+(\d+), in a second process that did no job\s+(\d+)/.exec(output) ?? []
  assert.ok(Number(here) > 100 && Number(there) > 100 && Number(there) < 512, output)
})

test.run()
