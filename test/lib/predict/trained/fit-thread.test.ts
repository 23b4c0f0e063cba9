import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FitThread } from '../../../../lib/predict/trained/fit-thread.js'
import type { LineFit } from '../../../../lib/predict/trained/fits.js'
import { rejection } from '../../support.js'

const run = promisify(execFile)
const wave = Float64Array.from({ length: 100 }, (_, i) => Math.sin((2 * Math.PI * i) / 10))
const fit = (part: Partial<LineFit> = {}): LineFit => ({ kind: 'ets', periods: [], steps: 5, budget: 600_000, values: wave, ...part })

test('fits asked for at once are answered each, while the event loop goes on', async () => {
  const thread = new FitThread()
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  const answers = await Promise.all([
    thread.fit(fit()),
    thread.fit(fit({ steps: 7 })),
    thread.fit(fit({ kind: 'mstl', periods: [10], steps: 3 }))
  ])
  clearInterval(timer)
  assert.equal(
    answers.map(answer => answer?.length),
    [5, 7, 3]
  )
  assert.ok(turns > 0)
})

test('a fit that is not over in its time is given up with its thread, and the next one has another', async () => {
  let threads = 0
  const count = () => void threads++
  process.on('worker', count)
  const thread = new FitThread()
  const long = Float64Array.from({ length: 200_000 }, (_, i) => Math.sin(i) + ((i * 7919) % 13))
  assert.is(await thread.fit(fit({ values: long, budget: 1 })), undefined)
  assert.is((await thread.fit(fit()))?.length, 5)
  process.off('worker', count)
  assert.is(threads, 2)
})

test('a fit that took longer than it may gives nothing, though nobody came to end it', async () => {
  const { setTimeout } = globalThis
  const thread = new FitThread()
  await thread.fit(fit())
  // Whoever asked stands still when the time is over.
  globalThis.setTimeout = ((then: () => void, ms: number) => setTimeout(then, ms === 0 ? 600_000 : ms)) as typeof setTimeout
  try {
    assert.is(await thread.fit(fit({ budget: 0 })), undefined)
  } finally {
    globalThis.setTimeout = setTimeout
  }
  assert.is((await thread.fit(fit()))?.length, 5)
})

test('what cannot be fitted gives nothing, and what is no fit fails', async () => {
  const thread = new FitThread()
  assert.is(await thread.fit(fit({ values: new Float64Array(0) })), undefined)
  const error = await rejection(thread.fit(fit({ kind: 'none' as 'ets' })))
  assert.instance(error, Error)
  assert.is((await thread.fit(fit()))?.length, 5)
})

test('keeps no process alive when its fits are over, and writes nothing', async () => {
  const url = new URL('../../../../lib/predict/trained/fit-thread.ts', import.meta.url)
  const program = `const { fitThread } = await import('${url}')
    const values = Float64Array.from({ length: 100 }, (_, i) => (i === 99 ? 1 : 0))
    const fit = { kind: 'prophet', periods: [24], steps: 2, budget: 600_000, values }
    console.log((await fitThread.fit(fit))?.length)`
  const { stdout, stderr } = await run(process.execPath, ['--import', 'tsx', '--input-type', 'module', '--eval', program])
  assert.match(stdout, /^(2|undefined)\n$/)
  assert.is(stderr, '')
})

test.run()
