import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { randomsOf } from '../../../../lib/randoms.js'
import { adversarial } from '../../../../lib/replay/policies/adversarial.js'
import { boundedOracle, oracle } from '../../../../lib/replay/policies/oracle.js'
import { perfect } from '../../../../lib/replay/policies/perfect.js'
import { predictive } from '../../../../lib/replay/policies/predictive.js'
import { fixed, staticsOf } from '../../../../lib/replay/policies/static.js'
import type { Policy } from '../../../../lib/replay/policy.js'
import { play, type Said, tierOf, workload } from '../support.js'

/** Long requests that always wait, and a burst of short ones of the higher tier every five seconds. */
function bursts(until = 60_000, every = 250): Said[] {
  const all: Said[] = []
  for (let time = 0; time < until; time += every) all.push({ time, duration: 1900 })
  for (let time = 4000; time < until; time += 5000) {
    for (let i = 0; i < 4; i++) all.push({ time: time + i, duration: 100, tier: 'interactive' })
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

/** What an adversary would do if nobody stood between it and the core. */
const unguarded: Policy = {
  name: 'unguarded',
  ahead: 1000,
  lag: 0,
  onPeriod(view) {
    const comes = [...view.coming()].some(({ who }) => who.tier === 'interactive')
    view.write({ kind: 'keep', pool: 'p', tier: 'interactive', amount: comes ? 0 : view.maxReserve, until: 2 * view.period })
  }
}

test('an adversary keeps units where nobody comes, until its guard stops it: nobody waits a twentieth and a millisecond longer than without it', async () => {
  const work = workload(bursts(600_000, 300), 8)
  const [reactive, free, worst] = [await play(work), await play(work, unguarded), await play(work, adversarial(work, { seed: 1 }))]
  const [base, lower] = [tierOf(reactive, 'background').waitMean, tierOf(worst, 'background').waitMean]
  assert.ok(tierOf(free, 'background').waitMean > 20 * base, 'without a guard it costs much')
  assert.ok(lower > base, 'it was let through at first')
  for (const tier of work.tiers) {
    const [without, withIt] = [tierOf(reactive, tier), tierOf(worst, tier)]
    assert.ok(withIt.waitMean <= 1.05 * without.waitMean + 1, `${tier}: ${withIt.waitMean} ms, and ${without.waitMean} ms without`)
    assert.ok(withIt.waitP99 <= 1.05 * without.waitP99 + 1, `${tier}: ${withIt.waitP99} ms, and ${without.waitP99} ms without`)
    assert.is(withIt.done, without.done)
  }
})

/** Bursts that repeat, of requests of so many ms that come within so many, among requests that come at random, one every so many. */
function noisy(seed: number, { until = 300_000, every = 270, within = 100, held = 100 } = {}): Said[] {
  const random = randomsOf(seed)
  const all: Said[] = []
  for (let time = 0; time < until; time += -every * Math.log(1 - random())) all.push({ time, duration: 1000 + 1800 * random() })
  for (let burst = 4000; burst < until; burst += 5000) {
    const first = burst + 200 * random()
    for (let i = 3 + 3 * random(); i > 0; i--) all.push({ time: first + within * random(), duration: held, tier: 'interactive' })
  }
  return all.sort((a, b) => a.time - b.time)
}

test('a planner that has learnt of bursts that repeat makes the top tier wait less, and lower ones not much longer', async () => {
  const work = workload(noisy(2), 9)
  const [reactive, planned] = [await play(work), await play(work, predictive(work, { seed: 1 }))]
  const [base, wait] = [tierOf(reactive, 'interactive').waitMean, tierOf(planned, 'interactive').waitMean]
  assert.ok(wait <= 0.8 * base, `${wait} ms, and ${base} ms without plans`)
  assert.ok(tierOf(planned, 'background').waitMean <= 3 * tierOf(reactive, 'background').waitMean)
  assert.ok(planned.hits > 0)
})

test('with a predictor that is always right the planner, behind its guard, comes three quarters of the way to the oracle at no more cost', async () => {
  for (const seed of [1, 3]) {
    const work = workload(noisy(seed), 9)
    const [reactive, best] = [await play(work), await play(work, boundedOracle(work))]
    const [learnt, told] = [await play(work, predictive(work, { seed: 1 })), await play(work, perfect(work, { seed: 1 }))]
    const [without, with_, least] = [reactive, told, best].map(result => tierOf(result, 'interactive').waitMean) as [number, number, number]
    assert.ok(without - with_ >= 0.75 * (without - least), `${without}, ${with_} and ${least} ms`)
    assert.ok(told.cost <= best.cost, `${told.cost} and ${best.cost}`)
    assert.ok(told.cost < learnt.cost, `${told.cost} and ${learnt.cost}`)
  }
})

test('where all is used a planner stops that knows who comes, before the line that it makes has grown', async () => {
  for (const seed of [2, 3]) {
    // It fills all but three per cent.
    const work = workload(noisy(seed, { until: 900_000, every: 230, within: 800, held: 500 }), 9)
    const [reactive, told] = [await play(work), await play(work, perfect(work, { seed: 1 }))]
    assert.ok((reactive.idle ?? 1) < 0.04, String(reactive.idle))
    for (const tier of work.tiers) {
      const [without, withIt] = [tierOf(reactive, tier).waitMean, tierOf(told, tier).waitMean]
      assert.ok(withIt <= 1.05 * without + 1, `${tier}: ${withIt} ms, and ${without} ms without`)
    }
  }
})

test('a planner does the same each time for a seed', async () => {
  const work = workload(noisy(1), 9)
  const results = []
  for (let i = 0; i < 2; i++) results.push({ ...(await play(work, predictive(work, { seed: 5 }))), took: 0 })
  assert.equal(results[0], results[1])
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
  const told = await play(work, perfect(work, { seed: 1 }))
  assert.ok(tierOf(told, 'interactive').waitMean < 50, String(tierOf(told, 'interactive').waitMean))
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

/** Lower work that takes all tokens that there are for six seconds of ten, and each half of a second of these two of the higher tier. */
function spending(until = 600_000): Said[] {
  const all: Said[] = []
  const ask = (time: number, tier: string) => all.push({ time, duration: 0, kind: 'bucket', thing: 'b', tier, tenant: tier })
  for (let time = 0; time < until; time += 100) {
    if (time % 10_000 >= 6000) continue
    ask(time, 'background')
    if (time % 200 === 0) ask(time + 1, 'background')
    if (time % 500 === 250 || time % 500 === 200) for (let i = 0; i < 2; i++) ask(time + 2 + i, 'interactive')
  }
  return all
}

test('tokens are kept in a bucket for those whose reserve is used up: the top tier is late less often than with the reserve alone, for little more', async () => {
  const work = workload(spending(), 1, { pools: [], buckets: [{ name: 'b', rate: 10 }] })
  const [reserved, kept, known] = [
    await play(work, fixed(250, work)),
    await play(work, predictive(work, { seed: 1 })),
    await play(work, boundedOracle(work))
  ]
  const [before, after] = [tierOf(reserved, 'interactive'), tierOf(kept, 'interactive')]
  assert.ok(after.late < 0.9 * before.late && after.waitMean < before.waitMean, `${after.late}, and ${before.late}`)
  assert.ok(tierOf(kept, 'background').waitMean < 1.1 * tierOf(reserved, 'background').waitMean)
  assert.ok(kept.cost < reserved.cost, `${kept.cost}, and ${reserved.cost}`)
  assert.ok(tierOf(known, 'interactive').late < tierOf(await play(work), 'interactive').late)
})

test('an adversary keeps tokens where nobody comes for them, until its guard stops it', async () => {
  const seldom = spending().filter(({ tier, time }) => tier === 'background' || time % 60_000 < 10_000)
  const work = workload(seldom, 1, { pools: [], buckets: [{ name: 'b', rate: 10 }] })
  const [reactive, worst] = [await play(work), await play(work, adversarial(work, { seed: 1 }))]
  assert.ok(tierOf(worst, 'background').waitMean > tierOf(reactive, 'background').waitMean, 'it was let through at first')
  for (const tier of ['background', 'interactive']) {
    const [base, given] = [tierOf(reactive, tier), tierOf(worst, tier)]
    assert.ok(given.waitMean <= 1.05 * base.waitMean + 1, `${tier}: ${given.waitMean} ms, of ${base.waitMean}`)
    assert.ok(given.waitP99 <= 1.05 * base.waitP99 + 1, `${tier}: ${given.waitP99} ms, of ${base.waitP99}`)
  }
})

test('where amounts are to be found the oracle asks for what is used, and the adversary for half of it', async () => {
  const all: Said[] = [40, 20, 60].map(peak => ({ time: 0, duration: 1000, amount: 100, peak }))
  const work = workload(all, 100, { sized: true })
  const [preset, exact, half] = [await play(work), await play(work, oracle(work)), await play(work, adversarial(work, { seed: 1 }))]
  assert.is((await play(work, perfect(work, { seed: 1 }))).waste, 1)
  assert.equal([preset.makespan, preset.waste, preset.under], [3000, 2.5, 0])
  assert.equal([exact.makespan, exact.waste, exact.under], [2000, 1, 0])
  assert.equal([half.waste, half.under], [1.5, 1])
  assert.is((await play(work, fixed(50, work))).under, 1 / 3)
})

/** A every two to eight seconds, B 300 ms after nine of ten, and work that fills the pool now and then. `named` says by which workflows. */
function raised(named: (workflow: string, count: number) => string): Said[] {
  const random = randomsOf(7)
  const all: Said[] = []
  let count = 0
  for (let time = 1000; time < 900_000; time += 2000 + 6000 * random()) {
    all.push({ time, duration: 50, tier: 'standard', workflow: named('A', count++) })
    if (random() < 0.9) all.push({ time: time + 300, duration: 200, tier: 'interactive', amount: 2, workflow: named('B', count++) })
  }
  for (let time = 0; time < 900_000; time += -180 * Math.log(1 - random())) {
    all.push({ time, duration: 1000 + 1000 * random(), workflow: named('low', count++) })
  }
  return all.sort((a, b) => a.time - b.time)
}

test('what a workflow raises is planned for when it begins: it waits less than where nobody could know who raises what', async () => {
  const ranks = ['background', 'standard', 'interactive']
  const played = async (named: (workflow: string, count: number) => string) => {
    const work = workload(raised(named), 10, { ranks, tiers: ranks })
    return play(work, predictive(work, { seed: 1 }))
  }
  const [known, unknown] = [await played(workflow => workflow), await played((_, count) => `w${count}`)]
  const [waits, without] = [tierOf(known, 'interactive').waitMean, tierOf(unknown, 'interactive').waitMean]
  assert.ok(waits < 0.5 * without, `${waits} ms, and ${without} ms`)
  const [low, lowWithout] = [tierOf(known, 'background').waitMean, tierOf(unknown, 'background').waitMean]
  assert.ok(low < 1.3 * lowWithout, `${low} ms, and ${lowWithout} ms`)
})

test.run()
