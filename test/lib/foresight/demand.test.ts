import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DemandBook } from '../../../lib/foresight/demand.js'
import { type Model, Scorekeeper } from '../../../lib/index.js'
import { randomNumbers } from '../shadow/recorded-runs.js'
import { isCoded, rejection, thrown } from '../support.js'
import { activity, TIERS } from './support.js'

const START = 1_700_000_000_000

/** Ten minutes of a bucket that a workflow takes so many tokens from each second. */
function tenMinutes(tokens: (second: number) => number): DemandBook {
  const book = new DemandBook(TIERS, START, new Scorekeeper())
  for (let second = 0; second < 600; second++) {
    const taken = { kind: 'bucket', name: 'stripe', tier: 2, workflow: 'checkout', tenant: 'acme', amount: tokens(second) } as const
    book.asked(START + 1_000 * second, activity(taken))
  }
  return book
}

test('what comes over and over is foretold, by its season', async () => {
  const book = tenMinutes(second => (second % 60 < 10 ? 50 : 5))
  const { step, start, samples, point, measure } = await book.forecast({ bucket: 'stripe' }, { horizon: 60_000 }, START + 600_000)
  assert.equal([step, start, samples, measure, point.length], [1_000, START + 600_000, 600, 'amount', 60])
  for (const [second, tokens] of point.entries()) assert.ok(Math.abs(tokens - (second < 10 ? 50 : 5)) < 5, `${tokens} at ${second}`)
})

test('quantiles are there at the levels that were asked for', async () => {
  const book = tenMinutes(second => 20 + 10 * randomNumbers(second)())
  const { quantiles, levels, point } = await book.forecast({ bucket: 'stripe' }, { horizon: 30_000, levels: [0.9, 0.1] }, START + 600_000)
  assert.equal(levels, [0.1, 0.9])
  assert.ok((quantiles[0]?.[0] as number) < (point[0] as number) && (point[0] as number) < (quantiles[1]?.[0] as number))
})

test('a level that is asked for twice is answered twice', async () => {
  const { levels, quantiles } = await tenMinutes(() => 5).forecast(
    { bucket: 'stripe' },
    { horizon: 10_000, levels: [0.9, 0.1, 0.9] },
    START + 600_000
  )
  assert.equal([...levels], [0.1, 0.9, 0.9])
  assert.equal(quantiles[1], quantiles[2])
})

test('a request counts for its workflow, its tenant, its element and its tier, and for no other tier', async () => {
  const book = tenMinutes(() => 5)
  const now = START + 600_000
  const first = async (of: object) =>
    Math.round(((await book.forecast(of, { horizon: 2_000, measure: 'requests' }, now)).point[0] as number) * 10)
  for (const of of [{ workflow: 'checkout' }, { tenant: 'acme' }, { bucket: 'stripe' }, { tier: 'interactive' }]) {
    // In steps of 100 ms, one of ten has a request: what is foretold in the next second adds up to about one.
    const { point, step } = await book.forecast(of, { horizon: 6_000, measure: 'requests' }, now)
    assert.is(step, 100)
    assert.ok(Math.abs(sum(point) - 6) < 2, `${JSON.stringify(of)}: ${sum(point)}`)
  }
  assert.is(await first({ workflow: 'checkout', tier: 'background' }), 0)
})

test('of a tenant that is forgotten nothing is told later: neither what was said of it, nor what is being said meanwhile', async () => {
  const book = tenMinutes(() => 5)
  const now = START + 600_000
  const later = now + 5_000
  const ask = (at: number) =>
    Promise.all([{ tenant: 'acme' }, { workflow: 'checkout' }].map(of => book.forecast(of, { horizon: 2_000 }, at)))
  const told = (at: number) => book.settle(at).map(({ name }) => name)
  await ask(now)
  book.forget('acme')
  assert.equal(told(later), ['checkout'])
  book.asked(later, activity({ kind: 'lock', name: 'l', tier: 2, workflow: 'checkout', tenant: 'acme' }))
  const asked = ask(later)
  book.forget('acme')
  await asked
  assert.equal(told(later + 5_000), ['checkout'])
})

test('a horizon is in as fine steps as there are about 60 of', async () => {
  const book = tenMinutes(() => 5)
  const step = async (horizon: number) => (await book.forecast({ bucket: 'stripe' }, { horizon }, START + 600_000)).step
  assert.equal([await step(500), await step(6_001), await step(60_001), await step(36_000_000)], [100, 1_000, 60_000, 60_000])
})

test('what was never asked for is foretold not to be', async () => {
  const book = tenMinutes(() => 5)
  const { point } = await book.forecast({ bucket: 'other' }, { horizon: 5_000 }, START + 600_000)
  assert.equal([...new Set(point)], [0])
})

test('nothing at all is known, and that is no error', async () => {
  const { point, samples } = await new DemandBook(TIERS, START, new Scorekeeper()).forecast({ workflow: 'w' }, { horizon: 1_000 }, START)
  assert.equal([samples, ...point], [0, ...Array(10).fill(0)])
})

test('a forecast that is asked for again has seen what came meanwhile', async () => {
  const book = tenMinutes(() => 5)
  const before = await book.forecast({ bucket: 'stripe' }, { horizon: 10_000 }, START + 600_000)
  for (let second = 600; second < 700; second++) {
    book.asked(START + 1_000 * second, activity({ kind: 'bucket', name: 'stripe', amount: 500 }))
  }
  const after = await book.forecast({ bucket: 'stripe' }, { horizon: 10_000 }, START + 700_000)
  assert.ok((before.point[0] as number) < 10 && (after.point[0] as number) > 100)
  assert.is(after.start, START + 700_000)
})

test('what a pool has handed out is foretold in the units of the dimension', async () => {
  const book = new DemandBook(TIERS, START, new Scorekeeper())
  for (let i = 0; i < 300; i++) book.used(START + 1_000 * i, 'host', 'cpu', 1, 1_000 * (1 + (i % 10)))
  const { point, measure } = await book.forecast({ pool: 'host', dimension: 'cpu', tier: 'standard' }, { horizon: 10_000 }, START + 300_000)
  assert.is(measure, 'used')
  for (const [i, used] of point.entries()) assert.ok(Math.abs(used - 1_000 * (1 + i)) < 500, `${used} at ${i}`)
})

test('a model of a user speaks where it is the best', async () => {
  const secret = (second: number) => 100 * randomNumbers(second)()
  const book = tenMinutes(secret)
  const model: Model = {
    name: 'oracle',
    fit: () => true,
    predict(_, length, out) {
      out.forEach((_, i) => {
        out[i] = secret(length + i)
      })
      return true
    }
  }
  book.register(() => model)
  const { point, weights } = await book.forecast({ bucket: 'stripe' }, { horizon: 20_000 }, START + 600_000)
  assert.ok((weights.find(({ name }) => name === 'oracle')?.weight ?? 0) > 0.9)
  for (const [i, tokens] of point.entries()) assert.ok(Math.abs(tokens - secret(600 + i)) < 10, `${tokens} at ${i}`)
})

test('of more subjects than are counted those that come often stay', async () => {
  const book = new DemandBook(TIERS, START, new Scorekeeper())
  for (let i = 0; i < 2_000; i++) {
    book.asked(START + i, activity({ workflow: `once-${i}` }))
    book.asked(START + i, activity({ workflow: 'often' }))
  }
  assert.ok(book.size <= 512)
  assert.ok(((await book.forecast({ workflow: 'often' }, { horizon: 1_000 }, START + 2_000)).point[0] as number) > 50)
})

test('an event that is known to come is in the forecast, of whom it matters to', async () => {
  const random = randomNumbers(3)
  const HOURS = 30
  const book = new DemandBook(TIERS, START, new Scorekeeper())
  const sales: number[] = []
  for (let minute = 60; minute < 60 * HOURS - 40; minute += 70 + Math.floor(120 * random())) sales.push(minute)
  const isSale = (minute: number) => sales.some(start => minute >= start && minute < start + 30)
  for (let minute = 0; minute < 60 * HOURS; minute++) {
    const requests = Math.round((isSale(minute) ? 30 : 10) + 4 * random())
    for (let i = 0; i < requests; i++) book.asked(START + 60_000 * minute, activity({ workflow: 'checkout' }))
    book.asked(START + 60_000 * minute, activity({ workflow: 'other' }))
  }
  const at = (minute: number) => START + 60_000 * minute
  for (const minute of sales) book.expect({ type: 'sale', start: at(minute), end: at(minute + 30), scope: { workflow: 'checkout' } })
  book.expect({ type: 'sale', id: 'next', start: at(1_820), end: at(1_850), scope: { workflow: 'checkout' } })
  const now = at(60 * HOURS)
  const told = await book.forecast({ workflow: 'checkout' }, { horizon: 4_000_000 }, now)
  const other = await book.forecast({ workflow: 'other' }, { horizon: 4_000_000 }, now)
  assert.is(told.step, 60_000)
  assert.ok((told.point[30] as number) > 25, String(told.point[30]))
  assert.ok((other.point[30] as number) < 3)
  assert.is(book.cancel('next'), true)
  const without = await book.forecast({ workflow: 'checkout' }, { horizon: 4_000_000 }, now)
  assert.ok((without.point[30] as number) < 20, String(without.point[30]))
})

test('a workflow that another raises is foretold from it', async () => {
  const random = randomNumbers(8)
  const book = new DemandBook(TIERS, START, new Scorekeeper(), of => (of === 'report' ? ['import'] : []))
  const alone = new DemandBook(TIERS, START, new Scorekeeper())
  let imported = -1
  const count = 900
  for (let second = 0; second < count; second++) {
    const isImport = random() < 0.05 || second === count - 3
    if (isImport) imported = second
    for (const one of [book, alone]) {
      one.asked(START + 1_000 * second, activity({ workflow: 'other' }))
      if (isImport) for (let i = 0; i < 20; i++) one.asked(START + 1_000 * second, activity({ workflow: 'import' }))
      if (second === imported + 5) for (let i = 0; i < 20; i++) one.asked(START + 1_000 * second, activity({ workflow: 'report' }))
    }
  }
  const ahead = async (one: DemandBook) =>
    (await one.forecast({ workflow: 'report' }, { horizon: 10_000 }, START + 1_000 * count)).point[2] as number
  const [with_, without] = [await ahead(book), await ahead(alone)]
  assert.ok(with_ > 10 && with_ > 3 * Math.max(1, without), `${with_} and ${without}`)
})

test('what was said is scored when it has come', async () => {
  const scores = new Scorekeeper()
  const book = new DemandBook(TIERS, START, scores)
  const random = randomNumbers(1)
  for (let second = 0; second < 400; second++) {
    const requests = Math.round(20 + 6 * random())
    for (let i = 0; i < requests; i++) book.asked(START + 1_000 * second, activity({ workflow: 'w' }))
    if (second >= 200 && second % 4 === 0)
      await book.forecast({ workflow: 'w' }, { horizon: 8_000, levels: [0.05, 0.5, 0.95] }, START + 1_000 * (second + 1))
  }
  const [score] = scores.scores()
  assert.equal([score?.model, score?.health, scores.scores().length], ['demand', 'fine', 1])
  assert.ok((score?.scored ?? 0) >= 150, String(score?.scored))
  assert.ok(Math.abs((score?.coverage ?? 0) - 0.9) < 0.1, String(score?.coverage))
})

test('of events those that are over make room, and those to come do not', () => {
  const book = new DemandBook(TIERS, START, new Scorekeeper())
  book.asked(START, activity())
  for (let i = 0; i < 1_024; i++) book.expect({ type: 'sale', id: `e${i}`, start: START + (i === 7 ? -1 : 1_000) })
  book.expect({ type: 'sale', id: 'one more', start: START + 1_000 })
  assert.is(book.cancel('e7'), false)
  isCoded(
    thrown(() => book.expect({ type: 'sale', id: 'too many', start: START + 1_000 })),
    'ERR_FORELOCK_CAPACITY'
  )
})

test('an event that says nothing is refused, and forecasts go on', async () => {
  const book = tenMinutes(() => 5)
  for (const event of [
    undefined,
    {},
    { type: 'a' },
    { type: 'a', start: Number.NaN },
    { type: 'a', start: 0, end: -1 },
    { type: 'a', start: 0, end: '1' },
    { type: 'a', start: 0, weight: 'x' },
    { type: 'a', start: 0, weight: -1 },
    { type: 'a', start: 0, value: Number.NaN },
    { type: 'a', start: 0, scope: { tenant: 7 } },
    { type: 'a', start: 0, id: 7 }
  ])
    isCoded(
      thrown(() => book.expect(event as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  assert.is((await book.forecast({ bucket: 'stripe' }, { horizon: 10_000 }, START + 600_000)).point.length, 10)
})

test('bad questions are refused by name', async () => {
  const book = tenMinutes(() => 5)
  const bad: [unknown, unknown][] = [
    [undefined, { horizon: 1 }],
    [{}, { horizon: 1 }],
    [{ bucket: 'a', pool: 'b' }, { horizon: 1 }],
    [{ bucket: 7 }, { horizon: 1 }],
    [{ lock: 'a' }, { horizon: 1 }],
    [{ bucket: 'a', tier: 'nobody' }, { horizon: 1 }],
    [{ bucket: 'a', dimension: 'cpu' }, { horizon: 1 }],
    [{ bucket: 'a' }, undefined],
    [{ bucket: 'a' }, {}],
    [{ bucket: 'a' }, { horizon: 0 }],
    [{ bucket: 'a' }, { horizon: Number.NaN }],
    [{ bucket: 'a' }, { horizon: 1e12 }],
    [{ bucket: 'a' }, { horizon: 1, levels: [2] }],
    [{ bucket: 'a' }, { horizon: 1, levels: null }],
    [{ bucket: 'a' }, { horizon: 1, levels: Array(1_001).fill(0.5) }],
    [{ bucket: 'a' }, { horizon: 1, measure: 'tokens' }],
    [{ workflow: 'a' }, { horizon: 1, measure: 'amount' }],
    [
      { pool: 'a', dimension: 'cpu' },
      { horizon: 1, measure: 'requests' }
    ]
  ]
  for (const [of, options] of bad) isCoded(await rejection(book.forecast(of, options, START)), 'ERR_FORELOCK_ARGUMENT')
})

const sum = (values: Float64Array) => values.reduce((all, one) => all + one, 0)

test.run()
