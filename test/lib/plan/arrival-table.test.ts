import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ArrivalTable } from '../../../lib/plan/arrival-table.js'
import { randomsOf } from '../../../lib/randoms.js'

/** Feeds what comes in each period. */
function fed(table: ArrivalTable, units: readonly number[]): ArrivalTable {
  for (const one of units) {
    for (let left = one; left > 0; left--) table.add(Math.min(1, left))
    table.tick()
  }
  return table
}

const periods = (count: number, units: (period: number) => number) => Array.from({ length: count }, (_, period) => units(period))

/** How many come in a period of a Poisson stream (Knuth, 1969). */
function poisson(random: () => number, mean: number): number {
  const least = Math.exp(-mean)
  let count = -1
  for (let product = 1; product > least; product *= random()) count++
  return count
}

test('at first nothing is known, and nothing is wanted', () => {
  const table = new ArrivalTable(5)
  for (const ratio of [0, 0.5, 0.99, 1]) assert.is(table.quantile(ratio), 0)
  fed(table, [9, 9, 9, 9, 9])
  assert.is(table.quantile(1), 0, 'no horizon is over yet')
  assert.is(table.horizon, 5)
})

test('of a steady stream as much comes within a horizon as there are periods in it', () => {
  for (const horizon of [1, 3, 20]) {
    assert.is(
      fed(
        new ArrivalTable(horizon),
        periods(500, () => 1)
      ).quantile(0.9),
      horizon
    )
    assert.is(
      fed(
        new ArrivalTable(horizon),
        periods(500, () => 2)
      ).quantile(0.01),
      2 * horizon
    )
  }
})

test('parts of units are added up, and what is begun counts as one', () => {
  const table = new ArrivalTable(1)
  for (let period = 0; period < 100; period++) {
    for (let i = 0; i < 10; i++) table.add(0.1)
    table.tick()
  }
  assert.is(table.quantile(0.5), 1)
  const more = new ArrivalTable(1)
  for (let period = 0; period < 100; period++) {
    more.add(1.2)
    more.tick()
  }
  assert.is(more.quantile(0.5), 2)
})

test('of a Poisson stream it gives the quantiles of that distribution, within sampling error', () => {
  const HORIZON = 4
  const random = randomsOf(3)
  const came = periods(60_000, () => poisson(random, 0.5))
  const table = new ArrivalTable(HORIZON)
  // Of two a horizon: P(X <= 1) = 0.406, P(X <= 2) = 0.677, P(X <= 3) = 0.857, P(X <= 4) = 0.947, P(X <= 5) = 0.983, P(X <= 6) = 0.995.
  const expected = new Map([
    [0.55, 2],
    [0.9, 4],
    [0.99, 6]
  ])
  const sums = new Map([...expected.keys()].map(ratio => [ratio, 0]))
  const [learnt, judged] = [20_000, 40_000]
  for (const [period, units] of came.entries()) {
    fed(table, [units])
    if (period < learnt) continue
    for (const [ratio, sum] of sums) sums.set(ratio, sum + table.quantile(ratio))
  }
  for (const [ratio, units] of expected) {
    const mean = (sums.get(ratio) as number) / judged
    assert.ok(Math.abs(mean - units) < 0.25, `${ratio}: ${mean}, not ${units}`)
  }
})

test('of bursts it sees the next one when what comes before it has come, and not in the silence between', () => {
  // One alone, and two periods later eight at once; every 60 periods.
  const burst = (period: number) => (period % 60 === 30 ? 1 : period % 60 === 32 ? 8 : 0)
  const table = fed(
    new ArrivalTable(3),
    periods(6_000, period => burst(period))
  )
  fed(
    table,
    periods(20, period => burst(period))
  )
  assert.is(table.quantile(0.5), 0)
  fed(
    table,
    periods(11, period => burst(20 + period))
  )
  assert.is(table.quantile(0.8), 8)
  fed(table, [0, 8, 0, 0, 0, 0, 0, 0, 0, 0])
  assert.is(table.quantile(0.5), 0)
})

test('a higher ratio never gives less, and that of 1 the most that was ever seen at such times', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomsOf(seed)
    const table = new ArrivalTable(1 + Math.floor(random() * 8))
    for (let period = 0; period < 400; period++) {
      fed(table, [random() < 0.2 ? Math.floor(random() * 12) : 0])
      let last = 0
      for (const ratio of [0, 0.1, 0.5, 0.9, 0.999, 1]) {
        const units = table.quantile(ratio)
        assert.ok(units >= last, `seed ${seed}, period ${period}, ${ratio}: ${units} after ${last}`)
        last = units
      }
    }
  }
})

test('whatever is asked for gives a number of units, and what comes later is learnt', () => {
  const table = new ArrivalTable(2)
  for (const units of [0, Number.MAX_VALUE, Number.MAX_VALUE, Number.POSITIVE_INFINITY, 1e-300]) {
    table.add(units)
    table.tick()
    for (const ratio of [0, 0.5, 1]) assert.ok(Number.isInteger(table.quantile(ratio)))
  }
  for (let i = 0; i < 5_000; i++) table.add(1)
  table.tick()
  assert.is(
    fed(
      table,
      periods(2_000, () => 1)
    ).quantile(0.9),
    2
  )
})

test('what is expected besides is added to what comes anyway, also where nothing is known', () => {
  const table = new ArrivalTable(1)
  const expected = [{ probability: 0.9, amounts: [4] }]
  assert.equal([table.quantile(0.5, expected), table.quantile(0.05, expected), table.exceeds(3, expected)], [4, 0, 0.9])
  fed(
    table,
    periods(500, () => 2)
  )
  assert.equal([table.quantile(0.5), table.quantile(0.5, expected), table.quantile(0.05, expected)], [2, 6, 2])
  assert.ok(Math.abs(table.exceeds(5, expected) - 0.9) < 1e-9)
})

test('it says the same whether it is asked each period or once in a while', () => {
  const [often, seldom] = [new ArrivalTable(5), new ArrivalTable(5)]
  const random = randomsOf(3)
  for (let period = 0; period < 3_000; period++) {
    // Bursts, and silences in which rates fade through all rows.
    const units = Math.floor(period / 150) % 3 === 0 ? poisson(random, 0.8) : 0
    fed(often, [units])
    fed(seldom, [units])
    const said = [often.quantile(0.3), often.quantile(0.95), often.exceeds(2)]
    if (period % 37 === 0) assert.equal([seldom.quantile(0.3), seldom.quantile(0.95), seldom.exceeds(2)], said, `period ${period}`)
  }
})

test.run()
