import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Sampler, type SamplerOptions } from '../../../lib/metering/sampler.js'
import { isCoded, isSettled, macrotask, thrown } from '../support.js'
import { ManualClock } from './support.js'

/** Counts from 0 on, to `last`. */
function counting(options: SamplerOptions<number> = {}, last = Number.POSITIVE_INFINITY) {
  const clock = new ManualClock()
  const seen = { taken: 0, closed: 0 }
  const take = () => (seen.taken > last ? undefined : seen.taken++)
  const close = () => {
    seen.closed++
  }
  const sampler = new Sampler<number>({ take, close }, { after: clock.after, ...options }, 1_000)
  return { clock, sampler, seen }
}

test('a sample is taken each time the interval has passed, and its callback called in a microtask', async () => {
  const seen: number[] = []
  const { clock, sampler } = counting({ every: 10, onSample: sample => seen.push(sample) })
  clock.advance(9)
  await macrotask()
  assert.equal(seen, [])
  clock.advance(21)
  assert.equal(seen, [])
  await macrotask()
  assert.equal(seen, [0, 1, 2])
  sampler.close()
})

test('who iterates gets what is sampled from then on, also what came while it was busy', async () => {
  const { clock, sampler } = counting()
  clock.advance(1_000)
  const all = sampler[Symbol.asyncIterator]()
  clock.advance(2_000)
  assert.equal(await all.next(), { done: false, value: 1 })
  assert.equal(await all.next(), { done: false, value: 2 })
  const next = all.next()
  assert.not(await isSettled(next))
  clock.advance(1_000)
  assert.equal(await next, { done: false, value: 3 })
  sampler.close()
})

test('of more samples than are kept the oldest are dropped, and counted', async () => {
  const { clock, sampler } = counting({ keep: 2 })
  const all = sampler[Symbol.asyncIterator]()
  clock.advance(5_000)
  assert.is(sampler.lost, 3)
  assert.equal((await all.next()).value, 3)
  sampler.close()
})

test('closing ends the timer, the source, and iterations once they have what was kept', async () => {
  const { clock, sampler, seen } = counting()
  const all = sampler[Symbol.asyncIterator]()
  clock.advance(1_000)
  sampler.close()
  sampler.close()
  assert.ok(sampler.closed)
  assert.is(seen.closed, 1)
  assert.is(clock.pending, 0)
  assert.equal((await all.next()).value, 0)
  assert.ok((await all.next()).done)
})

test('who waits for the next sample when it is closed waits no more', async () => {
  const { sampler } = counting()
  const next = sampler[Symbol.asyncIterator]().next()
  sampler.close()
  assert.ok((await next).done)
})

test('a source that ends closes it', async () => {
  const { clock, sampler, seen } = counting({}, 1)
  const values: number[] = []
  const done = (async () => {
    for await (const value of sampler) values.push(value)
  })()
  clock.advance(10_000)
  await done
  assert.equal(values, [0, 1])
  assert.is(seen.closed, 1)
  assert.is(clock.pending, 0)
})

test('options out of range are refused', () => {
  for (const options of [
    { every: 0 },
    { every: Number.NaN },
    { every: 2 ** 31 },
    { every: '1' },
    { keep: 0 },
    { keep: 1.5 },
    { onSample: 1 },
    { after: 1 }
  ]) {
    isCoded(
      thrown(() => new Sampler({ take: () => 1, close() {} }, options as never, 1_000)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test.run()
