import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ContentionNotice } from '../../../lib/notices.js'
import { proposals, type Situation } from '../../../lib/workflow/remedy-choice.js'
import type { RemedyKind } from '../../../lib/workflow/remedy-options.js'
import { CONTENTION } from '../notices.support.js'

const NOTICE: ContentionNotice = { ...CONTENTION, gap: 1000 }

/** A workflow of background runs of a second, one of which holds a tenth of the pool. */
const SITUATION: Situation = {
  notice: NOTICE,
  own: 0,
  upper: 2,
  need: 0.1,
  rate: 1,
  duration: 1000,
  running: 0,
  lower: [],
  most: 30_000
}

const kinds = (situation: Partial<Situation>, notice: Partial<ContentionNotice> = {}): RemedyKind[] =>
  proposals({ ...SITUATION, ...situation, notice: { ...NOTICE, ...notice } }).map(({ kind }) => kind)

test('to put a run off costs its wait, and saves what the tier would wait for it', () => {
  // One run comes in that second, and waits for half of it on average; else 8 x 0.8 for half a second.
  assert.equal(proposals(SITUATION), [{ kind: 'reschedule', delay: 1000, cost: 0.5 }])
})

test('where waiting is as dear below as above, or the tier hardly waits for such runs, nothing pays', () => {
  assert.equal(kinds({}, { costs: [100, 100, 8, 32] }), [])
  assert.equal(kinds({ duration: 10 }), [])
  assert.equal(kinds({}, { probability: 0.01 }), [])
})

test('what is left beside what is foretold is paced out, by how long runs hold it', () => {
  const [first] = proposals({ ...SITUATION, notice: { ...NOTICE, free: 7 } })
  // Four of them fit in at a time, each for a second.
  assert.equal([first?.kind, first?.every, first?.cost], ['pace', 250, 0])
  assert.equal(kinds({ rate: 1000 }, { free: 4, costs: [0.001, 2, 8, 32] }), ['pace', 'reschedule'])
})

test('nothing is paced where it is not known what runs need, or for how long, or where nothing is left', () => {
  assert.equal(kinds({ need: undefined }, { free: 7 }), ['reschedule'])
  assert.equal(kinds({ duration: undefined }, { free: 7 }), ['reschedule'])
  assert.equal(kinds({}, { free: 3 }), ['reschedule'])
})

test('where those that go on are in the way they pause, which costs their time', () => {
  assert.equal(kinds({ running: 4 }), ['split', 'reschedule'])
  const [first] = proposals({ ...SITUATION, running: 4 })
  // Each of the four for that second, and the one that comes for half of it.
  assert.is(first?.cost, 4.5)
  assert.equal(kinds({ running: 4 }, { costs: [4, 2, 8, 32] }), ['reschedule'])
})

test('another tier is better where it may have less of the pool, and as good as nothing otherwise', () => {
  assert.equal(kinds({ rate: 4, own: 1, lower: [{ tier: 0, room: 1 }] }), ['reschedule'])
  const [first] = proposals({ ...SITUATION, rate: 4, own: 1, lower: [{ tier: 0, room: 0 }] })
  assert.equal([first?.kind, first?.to, first?.delay], ['move', 0, 1000])
})

test('no run is put off for longer than it may', () => {
  assert.is(proposals({ ...SITUATION, most: 200 })[0]?.delay, 200)
})

test('whatever is said of a pool, costs are numbers', () => {
  for (const capacity of [0, 1, 1e9])
    for (const usual of [0, 1e-9, 10])
      for (const need of [undefined, 0, 1])
        for (const duration of [undefined, 0, 1e9]) {
          const notice = { ...NOTICE, capacity, usual, free: capacity, expected: 0, gap: 0 }
          for (const { cost } of proposals({ ...SITUATION, need, duration, running: 3, lower: [{ tier: 0, room: 0 }], notice })) {
            assert.ok(Number.isFinite(cost), `${capacity} ${usual} ${need} ${duration}`)
          }
        }
})

/** A lock that runs take one of two times, and have for 400 ms. */
const OF_LOCK: Partial<ContentionNotice> = {
  kind: 'lock',
  kept: 0,
  capacity: 1,
  free: 1,
  expected: 1,
  usual: 1,
  held: 400,
  users: { low: 0.5 }
}

test('of a lock, runs are put off by how long it is held, and neither paced, nor moved, nor told to pause', () => {
  // One in two runs takes it: 8 x 0.8 for half of 400 ms, half of the time.
  assert.equal(proposals({ ...SITUATION, need: 0.5, notice: { ...NOTICE, ...OF_LOCK } }), [{ kind: 'reschedule', delay: 1000, cost: 0.5 }])
  assert.equal(kinds({ need: 0.3 }, OF_LOCK), [], 'too few runs take it')
  assert.equal(kinds({ need: 0.5 }, { ...OF_LOCK, held: 100 }), [], 'it is held too shortly')
  assert.equal(kinds({ need: 1, rate: 1000 }, { ...OF_LOCK, free: 7, costs: [0.001, 2, 8, 32] }), ['reschedule'])
})

test('where a hold keeps the lock for the tier already nobody gives way', () => {
  assert.equal(kinds({ need: 1 }, { ...OF_LOCK, kept: 1 }), [])
})

/** Within half a second there can be 20 tokens and will be 10, of which 8 are foretold to be taken; ten come in a second. */
const OF_BUCKET: Partial<ContentionNotice> = {
  kind: 'bucket',
  kept: 0,
  capacity: 20,
  free: 10,
  expected: 4,
  usual: 1,
  held: 400,
  refill: 10,
  users: { low: 5 }
}

test('of a bucket, runs are paced so that those tokens are left that are foretold, or put off', () => {
  const [first, second] = proposals({ ...SITUATION, need: 0.25, notice: { ...NOTICE, ...OF_BUCKET } })
  // Two tokens of ten a second are left beside four in half of one; a run takes five.
  assert.equal([first?.kind, first?.every, second?.kind], ['pace', 2500, 'reschedule'])
  // All of what comes is foretold.
  assert.equal(kinds({ need: 0.25 }, { ...OF_BUCKET, expected: 5 }), ['reschedule'])
  // Nobody below takes what is kept apart.
  assert.equal(kinds({ need: 0.25 }, { ...OF_BUCKET, kept: 20 }), [])
})

test.run()
