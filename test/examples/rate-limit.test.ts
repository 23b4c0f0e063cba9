import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { countBetweenRefusals } from '../../examples/rate-limit/count.js'

const main = fileURLToPath(new URL('../../examples/rate-limit/main.ts', import.meta.url))
const SECONDS = 4
const RATE = 500
/** A machine so busy that the load pauses for a second fills the bucket; that says nothing about the limit. */
const ATTEMPTS = 4

interface Run {
  readonly pid: number | undefined
  readonly output: string
}

async function runExample(): Promise<Run> {
  const child = spawn(process.execPath, ['--import', 'tsx', main, String(SECONDS)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  const [code] = await once(child, 'close')
  // It ends with an error when more was admitted than the limit allows, in each attempt.
  assert.is(code, 0, output)
  return { pid: child.pid, output }
}

async function runUnderLoad(): Promise<Run> {
  for (let attempt = 1; ; attempt++) {
    const run = await runExample()
    if (!/in which the bucket filled/.test(run.output)) return run
    assert.ok(attempt < ATTEMPTS, `no load without a gap in ${ATTEMPTS} attempts:\n${run.output}`)
  }
}

function numbersOf(output: string, pattern: RegExp): number[] {
  const match = pattern.exec(output)
  if (match === null) throw new Error(`no ${pattern} in:\n${output}`)
  return match.slice(1).map(Number)
}

function headersOf(output: string, status: number): Record<string, string | null> {
  return JSON.parse(new RegExp(`headers of a ${status}: (.*)`).exec(output)?.[1] ?? 'null')
}

test('four processes admit 500 requests a second together, and say so in the headers', async () => {
  const { pid, output } = await runUnderLoad()

  const [least, most, time] = numbersOf(output, /(\d+) to (\d+) admitted in the ([\d.]+) ns between two refusals: /)
  // At a refusal there is less than one token, so between two of them one is given more or less than came in; and a refusal's time is known to 0.1 ms.
  const expected = (RATE * time) / 1e9
  assert.ok(time > 1e9, `a window of ${time} ns`)
  assert.ok(least < expected + 1.2, output)
  assert.ok(most > expected - 1.2, output)
  assert.ok(Math.abs(most / expected - 1) < 0.005, output)

  const [admitted, , seen, , errors] = numbersOf(output, /all: (\d+) admitted, (\d+) refused; autocannon saw (\d+) and (\d+), errors (\d+)/)
  assert.ok(seen > 0 && seen <= admitted, output)
  assert.is(errors, 0)
  for (let process = 1; process <= 4; process++) {
    const [had] = numbersOf(output, new RegExp(`process ${process}: (\\d+) admitted`))
    assert.ok(had > 0, `process ${process} has a part of it`)
  }

  assert.equal(headersOf(output, 200), { 'ratelimit-policy': '"api";q=500;w=1', ratelimit: '"api";r=499;t=1', 'retry-after': null })
  assert.equal(headersOf(output, 429), { 'ratelimit-policy': '"api";q=500;w=1', ratelimit: '"api";r=0;t=1', 'retry-after': '1' })

  assert.equal(
    readdirSync('/dev/shm').filter(file => file.includes(`rate-limit-${pid}`)),
    []
  )
})

test('the example counts what lies between two refusals for certain, and what may', () => {
  const one = { admitted: [1, 2, 99_990, 100_010, 150_000, 150_010], refused: [100_000, 100_020, 300_000, 300_010] }
  const other = { admitted: [299_999, 300_001, 400_000, 400_001], refused: [100_500, 900_500, 200_000, 200_005] }
  assert.equal(countBetweenRefusals([one, other]), { time: 200_000, least: 1, most: 3, longestGap: 100_010 })
})

test('the example does not count without two refusals', () => {
  assert.throws(() => countBetweenRefusals([{ admitted: [1, 2], refused: [3, 4] }]), /nothing was refused/)
})

test.run()
