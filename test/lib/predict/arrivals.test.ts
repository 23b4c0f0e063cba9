import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Arrival, Arrivals } from '../../../lib/predict/arrivals.js'
import { isCoded, thrown } from '../support.js'
import { seeded } from './series.js'

/** One key each 4 s, and one at random. */
function* requests(seconds: number): Generator<Arrival> {
  const random = seeded(6)
  for (let second = 0; second < seconds; second++) {
    if (second % 4 === 0) yield { key: 2n ** 63n + 1n, time: 1000 * second, tier: 2, client: 9 }
    if (random() < 0.25) yield { key: 2n, time: 1000 * second + 500 }
  }
}

const taught = () => {
  const arrivals = new Arrivals()
  arrivals.record(requests(7_998))
  return arrivals
}

test('says when a key is due, and when it is not', () => {
  const arrivals = taught()
  const [early] = arrivals.score(BigUint64Array.of(2n ** 63n + 1n), 7_998_000)
  const [due] = arrivals.score(BigUint64Array.of(2n ** 63n + 1n), 7_999_800)
  assert.ok((early as number) < 0.1 && (due as number) > 0.6, `${early} ${due}`)
})

test('a tier counts those above it, and not those below', () => {
  const arrivals = taught()
  const keys = BigUint64Array.of(2n ** 63n + 1n, 2n)
  const [any, inTwo, inThree] = [0, 2, 3].map(tier => arrivals.score(keys, 7_999_800, tier)) as [Float64Array, Float64Array, Float64Array]
  assert.is(inTwo[0], any[0])
  assert.is(inTwo[1], 0)
  assert.is(inThree[0], 0)
})

test('names the likeliest keys', () => {
  const arrivals = taught()
  const [first, second, ...rest] = arrivals.likely(7_999_800, 0, 10)
  assert.is(first?.key, 2n ** 63n + 1n)
  assert.is(second?.key, 2n)
  assert.is(rest.length, 0)
  assert.equal(arrivals.likely(7_999_800, 1, 10), [])
  assert.is(arrivals.tracked, 2)
})

test('knows what comes next in a run', () => {
  const arrivals = new Arrivals()
  const runs = function* (from: number, count: number): Generator<Arrival> {
    for (let run = from; run < from + count; run++) {
      const time = 8_000 * run
      const [first, last] = run % 2 === 0 ? [10n, 12n] : [20n, 22n]
      yield { key: first, time, run }
      yield { key: 11n, time: time + 200, run }
      yield { key: last, time: time + 400, run }
    }
  }
  arrivals.record(runs(1, 1_999))
  arrivals.record([...runs(2_000, 1)].slice(0, 2))
  const [own, other] = arrivals.score(BigUint64Array.of(12n, 22n), 16_000_250)
  assert.ok((own as number) > 0.8 && (other as number) < 0.2, `${own} ${other}`)
})

test('what one has learnt another goes on with', () => {
  const arrivals = taught()
  const saved = arrivals.save()
  const heir = new Arrivals()
  heir.load(saved)
  assert.equal(heir.save(), saved)
})

test('what is damaged is not loaded, wherever it is', () => {
  const arrivals = new Arrivals()
  const before = arrivals.save()
  for (const at of [0, 25, before.length >> 1, before.length - 1]) {
    const broken = Uint8Array.from(before)
    broken[at] = (broken[at] as number) ^ 1
    isCoded(
      thrown(() => arrivals.load(broken)),
      'ERR_FORELOCK_CORRUPT'
    )
  }
  for (const broken of [new Uint8Array(0), before.subarray(0, 100), Uint8Array.from([...before, 0])]) {
    isCoded(
      thrown(() => arrivals.load(broken)),
      'ERR_FORELOCK_CORRUPT'
    )
  }
  assert.equal(arrivals.save(), before)
})

test('of more keys than are kept those that come often stay, and no more are kept', () => {
  const arrivals = new Arrivals({ keys: 200 })
  const often = BigUint64Array.from({ length: 20 }, (_, i) => BigInt(i))
  // Each of these is one of 100 requests, twice what a place is worth; the others come once.
  for (let i = 0; i < 20_000; i++) {
    arrivals.record([{ key: i % 5 === 0 ? (often[(i / 5) % 20] as bigint) : BigInt(1_000 + i), time: 20 * i }])
  }
  assert.is(arrivals.tracked, 200)
  const scores = arrivals.score(often, 20 * 20_000)
  // Those that are due next, one in 100 ms, and those that have just been.
  for (const [i, score] of scores.entries()) assert.ok(i < 4 ? score > 0.9 : i > 6 ? score < 0.2 : score > 0, `${i}: ${score}`)
})

test('refuses what is no request, and keeps what came before it', () => {
  const arrivals = new Arrivals()
  const wrong: unknown[] = [
    { key: 1, time: 0 },
    { key: -1n, time: 0 },
    { key: 2n ** 64n, time: 0 },
    { key: 1n, time: Number.NaN },
    { key: 1n, time: '0' },
    { key: 1n, time: 0, tier: 4 },
    { key: 1n, time: 0, client: -1 },
    { key: 1n, time: 0, run: 0.5 }
  ]
  for (const one of wrong) {
    isCoded(
      thrown(() => arrivals.record([{ key: 5n, time: 1 }, one as Arrival])),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  assert.is(arrivals.tracked, 1)
})

test('refuses options, keys and moments that are none', () => {
  const arrivals = new Arrivals()
  const calls = [
    () => new Arrivals({ keys: 0 }),
    () => new Arrivals(null as never),
    () => new Arrivals({ key: 3 } as never),
    () => arrivals.record(null as never),
    () => arrivals.record('ab' as never),
    () => arrivals.record([null as never]),
    () => new Arrivals({ keys: 1e9 }),
    () => new Arrivals({ within: 0 }),
    () => new Arrivals({ within: Number.NaN }),
    () => new Arrivals({ seed: -1 }),
    () => arrivals.score([1n] as unknown as BigUint64Array, 0),
    () => arrivals.score(new BigUint64Array(1), Number.NaN),
    () => arrivals.score(new BigUint64Array(1), 0, 4),
    () => arrivals.likely(0, 2, 1),
    () => arrivals.likely(0, 0, -1),
    () => arrivals.likely(Number.NaN, 0, 1)
  ]
  for (const call of calls) isCoded(thrown(call), 'ERR_FORELOCK_ARGUMENT')
})

test.run()
