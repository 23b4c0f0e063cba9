import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { adversarial } from '../../../../lib/replay/policies/adversarial.js'
import { boundedOracle, oracle } from '../../../../lib/replay/policies/oracle.js'
import { fixed, staticsOf } from '../../../../lib/replay/policies/static.js'
import { play, type Said, tierOf, workload } from '../support.js'

/** Long requests that always wait, and a burst of short ones of the higher tier every five seconds. */
function bursts(kind: 'pool' | 'bucket' = 'pool'): Said[] {
  const all: Said[] = []
  for (let time = 0; time < 60_000; time += 250) all.push({ time, duration: 1900, kind, tenant: 'background' })
  for (let time = 4000; time < 60_000; time += 5000) {
    for (let i = 0; i < 4; i++) all.push({ time: time + i, duration: 100, tier: 'interactive', kind, tenant: 'interactive' })
  }
  return all.sort((a, b) => a.time - b.time)
}

test('an oracle keeps units for a burst that comes, and lower tiers wait a little more', async () => {
  const work = workload(bursts(), 8)
  const [reactive, foreseen] = [await play(work), await play(work, oracle(work))]
  assert.ok(tierOf(foreseen, 'interactive').waitMean < 0.2 * tierOf(reactive, 'interactive').waitMean)
  assert.ok(tierOf(foreseen, 'background').waitMean > tierOf(reactive, 'background').waitMean)
  assert.ok(foreseen.hits > 0)
})

test('within what plans may keep it comes less far', async () => {
  const work = workload(bursts(), 8)
  const [free, bounded] = [await play(work, oracle(work)), await play(work, boundedOracle(work))]
  assert.ok(tierOf(bounded, 'interactive').waitMean > tierOf(free, 'interactive').waitMean)
})

test('a fixed reserve makes the top tier wait less the larger it is', async () => {
  const work = workload(bursts(), 8)
  assert.equal(staticsOf(work), [1, 2])
  const waits: number[] = []
  for (const k of [1, 2, 3]) waits.push(tierOf(await play(work, fixed(k, work)), 'interactive').waitMean)
  assert.ok((waits[0] as number) > (waits[1] as number) && (waits[1] as number) > (waits[2] as number), waits.join())
})

test('an adversary keeps units where nobody comes: lower tiers wait, and nobody is better off', async () => {
  const work = workload(bursts(), 8)
  const [reactive, worst] = [await play(work), await play(work, adversarial(work, { seed: 1 }))]
  assert.ok(tierOf(worst, 'background').waitMean > tierOf(reactive, 'background').waitMean)
  assert.ok(tierOf(worst, 'interactive').waitMean >= tierOf(reactive, 'interactive').waitMean)
})

test('a hold on a lock that a writer is about to ask for keeps a reader out who would not be done in time', async () => {
  const all: Said[] = []
  for (let round = 0; round < 20; round++) {
    const time = round * 2000
    // How long readers hold it is learnt from the first one.
    all.push({ time: time + 500, duration: 300, kind: 'lock', thing: 'l', shared: true })
    all.push({ time: time + 950, duration: 300, kind: 'lock', thing: 'l', shared: true })
    all.push({ time: time + 1000, duration: 5, kind: 'lock', thing: 'l', tier: 'interactive' })
  }
  const work = workload(all, 1, { pools: [], busiest: ['l'] })
  const [reactive, foreseen] = [await play(work), await play(work, oracle(work))]
  assert.is(tierOf(reactive, 'interactive').waitMean, 250)
  assert.ok(tierOf(foreseen, 'interactive').waitMean < 50, String(tierOf(foreseen, 'interactive').waitMean))
  assert.ok(foreseen.hits >= 15, String(foreseen.hits))
  const kept = await play(work, fixed(1, work))
  assert.ok(tierOf(kept, 'background').waitMean > 0)
})

test('a reserve of tokens is filled by what a full bucket discards, and helps a burst', async () => {
  const all: Said[] = []
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 15; i++)
      all.push({ time: 3000 + round * 5000, duration: 0, kind: 'bucket', thing: 'b', tier: 'interactive', tenant: 'interactive' })
  }
  const work = workload(all, 1, { pools: [], buckets: [{ name: 'b', rate: 10 }] })
  const reactive = await play(work)
  const kept = await play(work, fixed(100, work))
  const foreseen = await play(work, oracle(work))
  assert.ok(tierOf(reactive, 'interactive').waitMean > 0)
  assert.is(tierOf(kept, 'interactive').waitMean, 0)
  assert.ok(tierOf(foreseen, 'interactive').waitMean < tierOf(reactive, 'interactive').waitMean)
})

test('where amounts are to be found the oracle asks for what is used, and the adversary for half of it', async () => {
  const all: Said[] = [40, 20, 60].map(peak => ({ time: 0, duration: 1000, amount: 100, peak }))
  const work = workload(all, 100, { sized: true })
  const [preset, exact, half] = [await play(work), await play(work, oracle(work)), await play(work, adversarial(work, { seed: 1 }))]
  assert.equal([preset.makespan, preset.waste, preset.under], [3000, 2.5, 0])
  assert.equal([exact.makespan, exact.waste, exact.under], [2000, 1, 0])
  assert.equal([half.waste, half.under], [1.5, 1])
  assert.is((await play(work, fixed(50, work))).under, 1 / 3)
})

test.run()
