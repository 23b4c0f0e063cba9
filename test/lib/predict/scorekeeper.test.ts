import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type HealthChange, type ScoredPrediction, Scorekeeper, type ScorekeeperOptions } from '../../../lib/predict/scorekeeper.js'
import { isCoded, thrown } from '../support.js'
import { normal, seeded } from './series.js'

const LEVELS = [0.1, 0.5, 0.9]

/** The right quantiles of a normal value, moved by an error. */
const around = (middle: number) => [middle - 1.2816, middle, middle + 1.2816]

/** Models foretell a normal value each step, each with an error of its own at that step. */
function watch(steps: number, models: Record<string, (step: number) => number>, scorekeeper = new Scorekeeper(), seed = 1) {
  const random = seeded(seed)
  const changes: (HealthChange & { step: number })[] = []
  for (let step = 0; step < steps; step++) {
    for (const [model, error] of Object.entries(models)) {
      scorekeeper.expect({ model, source: 's', due: step, levels: LEVELS, quantiles: around(error(step)) })
    }
    changes.push(...scorekeeper.came('s', step, normal(random)).map(change => ({ ...change, step })))
  }
  return { scorekeeper, changes }
}

test('quantiles are scored by pinball loss and by how many values lie between them', () => {
  const { scorekeeper } = watch(3_000, { good: () => 0, off: () => 1 })
  const [good, off] = scorekeeper.scores('s')
  assert.equal([good?.model, off?.model, good?.kind, good?.scored], ['good', 'off', 'quantity', 3_000])
  assert.ok(Math.abs((good?.pinball as number) - 0.25) < 0.06, `${good?.pinball}`)
  assert.ok((off?.pinball as number) > 1.3 * (good?.pinball as number))
  assert.ok(Math.abs((good?.nominal as number) - 0.8) < 1e-9)
  assert.ok(Math.abs((good?.coverage as number) - 0.8) < 0.1 && (off?.coverage as number) < 0.7)
  assert.ok(Number.isNaN(good?.brier))
})

test('one prediction has the score that the definitions give it', () => {
  const scorekeeper = new Scorekeeper()
  scorekeeper.expect({ model: 'm', source: 'a', due: 1, levels: [0.25, 0.5, 0.75], quantiles: Float64Array.of(1, 2, 3) })
  scorekeeper.expect({ model: 'm', source: 'b', due: 1, probability: 0.3 })
  scorekeeper.expect({ model: 'm', source: 'c', due: 1, probability: 0.3 })
  scorekeeper.came('a', 1, 4)
  scorekeeper.came('b', 1, true)
  scorekeeper.came('c', 1, 0)
  const [a, b, c] = scorekeeper.scores()
  assert.ok(Math.abs((a?.pinball as number) - (0.25 * 3 + 0.5 * 2 + 0.75) / 3) < 1e-12)
  assert.is(a?.coverage, 0)
  assert.ok(Math.abs((b?.brier as number) - 0.49) < 1e-12 && Math.abs((c?.brier as number) - 0.09) < 1e-12)
  assert.ok(Number.isNaN(b?.pinball) && Number.isNaN(b?.coverage))
})

test('scores are those of late: what is long ago fades', () => {
  const { scorekeeper } = watch(2_000, { m: step => (step < 1_000 ? 0 : 5) })
  assert.ok((scorekeeper.scores()[0]?.pinball as number) > 1.5)
})

test('a model that turns bad is first to learn anew, then out, and comes back when it has proved itself unheard', () => {
  const { scorekeeper, changes } = watch(2_000, { steady: () => 0, turns: step => (step >= 500 && step < 1_000 ? 4 : 0) })
  const of = (model: string) => changes.filter(change => change.model === model)
  assert.equal(of('steady'), [])
  assert.equal(
    of('turns').map(({ from, to, advice }) => [from, to, advice]),
    [
      ['fine', 'drifting', 'retrain'],
      ['drifting', 'out', 'shadow'],
      ['out', 'fine', 'restore']
    ]
  )
  const [first, second, third] = of('turns').map(({ step }) => step)
  assert.ok((first as number) >= 500 && (first as number) < 530, `drifting at ${first}`)
  assert.ok((second as number) < 600, `out at ${second}`)
  assert.ok((third as number) > 1_000 && (third as number) < 1_100, `back at ${third}`)
  assert.is(scorekeeper.weight('turns', 's'), 1)
})

test('a model counts less while it drifts, and not at all while it is out', () => {
  const scorekeeper = new Scorekeeper()
  const weights: number[] = []
  const random = seeded(2)
  for (let step = 0; step < 700; step++) {
    for (const [model, error] of [
      ['steady', 0],
      ['turns', step >= 500 ? 4 : 0]
    ] as const) {
      scorekeeper.expect({ model, source: 's', due: step, levels: LEVELS, quantiles: around(error) })
    }
    scorekeeper.came('s', step, normal(random))
    weights.push(scorekeeper.weight('turns', 's'))
  }
  assert.ok(weights.slice(0, 500).every(weight => weight === 1))
  assert.ok(weights.slice(505, 540).some(weight => weight > 0 && weight < 0.5))
  assert.is(weights.at(-1), 0)
  assert.is(scorekeeper.weight('steady', 's'), 1)
  assert.is(scorekeeper.weight('never heard of', 's'), 1)
})

test('when all are out the best of them is still listened to', () => {
  const { scorekeeper } = watch(900, { bad: step => (step >= 500 ? 5 : 0), worse: step => (step >= 500 ? 9 : 0) })
  assert.equal(
    scorekeeper.scores().map(({ health }) => health),
    ['out', 'out']
  )
  assert.equal([scorekeeper.weight('bad', 's'), scorekeeper.weight('worse', 's')], [1, 0])
})

test('a model that learnt anew is judged anew', () => {
  const scorekeeper = new Scorekeeper()
  watch(500, { m: () => 0 }, scorekeeper)
  const { changes } = watch(12, { m: () => 4 }, scorekeeper, 3)
  assert.equal(
    changes.map(({ advice }) => advice),
    ['retrain']
  )
  scorekeeper.retrained('m')
  assert.is(scorekeeper.scores()[0]?.health, 'fine')
  assert.equal(watch(500, { m: () => 0 }, scorekeeper, 4).changes, [])
})

test('a probability that turns bad is found as well', () => {
  const scorekeeper = new Scorekeeper()
  const random = seeded(5)
  const changes: HealthChange[] = []
  for (let step = 0; step < 1_500; step++) {
    const chance = random() < 0.5 ? 0.1 : 0.8
    scorekeeper.expect({ model: 'm', source: 's', due: step, probability: step < 1_000 ? chance : 0.9 - chance })
    changes.push(...scorekeeper.came('s', step, random() < chance))
  }
  assert.equal(
    changes.map(({ to }) => to),
    ['drifting', 'out']
  )
})

test('what was said of one time at several times before counts once for drift, and each time for the scores', () => {
  const scorekeeper = new Scorekeeper()
  const random = seeded(6)
  for (let step = 0; step < 200; step++) {
    for (let ahead = 1; ahead <= 10; ahead++) {
      scorekeeper.expect({ model: 'm', source: 's', due: step + ahead, levels: LEVELS, quantiles: around(0) })
    }
    scorekeeper.came('s', step, normal(random))
  }
  assert.is(scorekeeper.scores()[0]?.scored, 10 * 200 - 55)
  assert.is(scorekeeper.size, 55)
})

test('what nobody tells is given up after its time, and what is too much at once', () => {
  const scorekeeper = new Scorekeeper({ pending: 10, patience: 100 })
  const expect = (due: number) => scorekeeper.expect({ model: 'm', source: `s${due % 3}`, due, probability: 0.5 })
  for (let due = 0; due < 10; due++) expect(due)
  scorekeeper.advance(105)
  assert.equal([scorekeeper.size, scorekeeper.missed], [5, 5])
  for (let due = 10; due < 20; due++) expect(due)
  assert.equal([scorekeeper.size, scorekeeper.lost], [10, 5])
  for (let due = 0; due < 10; due++) assert.equal(scorekeeper.came(`s${due % 3}`, due, 1), [])
  assert.is(scorekeeper.scores().length, 0)
  scorekeeper.came('s1', 10, Number.NaN)
  assert.equal([scorekeeper.size, scorekeeper.missed, scorekeeper.scores().length], [9, 6, 0])
})

test('of too many models those scored longest ago are forgotten', () => {
  const scorekeeper = new Scorekeeper({ models: 100 })
  for (let i = 0; i < 1_000; i++) {
    for (const source of ['kept', `s${i}`]) {
      scorekeeper.expect({ model: 'm', source, due: i, probability: 0.5 })
      scorekeeper.came(source, i, 1)
    }
  }
  assert.is(scorekeeper.scores().length, 100)
  assert.is(scorekeeper.scores('kept')[0]?.scored, 1_000)
  assert.is(scorekeeper.scores('s1').length, 0)
})

test('goes on from what was saved as it was', () => {
  const models = { steady: () => 0, turns: (step: number) => (step >= 400 ? 3 : 0) }
  for (const steps of [0, 100, 410, 480, 600]) {
    const { scorekeeper } = watch(steps, models)
    scorekeeper.expect({ model: 'm', source: 'rain', due: 0, probability: 0.5 })
    scorekeeper.came('rain', 0, true)
    const other = new Scorekeeper()
    other.load(scorekeeper.save())
    assert.equal(other.scores(), scorekeeper.scores())
    const after = [scorekeeper, other].map(one => watch(200, { steady: () => 0, turns: () => 3 }, one, 9).changes)
    assert.equal(after[0], after[1])
    assert.equal(other.scores('s'), scorekeeper.scores('s'))
  }
  const saved = watch(100, models).scorekeeper.save()
  const { scorekeeper } = watch(10, { m: () => 0 })
  const few = new Scorekeeper({ models: 1 })
  few.load(saved)
  assert.equal(
    few.scores().map(({ model }) => model),
    ['turns']
  )
  saved[40] = (saved[40] as number) ^ 1
  for (const bad of [saved, saved.subarray(1), new Uint8Array(0), 'x', undefined]) {
    isCoded(
      thrown(() => scorekeeper.load(bad as Uint8Array)),
      'ERR_FORELOCK_CORRUPT'
    )
  }
  assert.is(scorekeeper.scores().length, 1)
})

test('the largest numbers make no score that is no number', () => {
  const scorekeeper = new Scorekeeper()
  for (let i = 0; i < 300; i++) {
    scorekeeper.expect({ model: 'm', source: 's', due: i, levels: LEVELS, quantiles: [-1e308, 0, 1e308] })
    scorekeeper.came('s', i, i % 3 === 0 ? Number.MAX_VALUE : -Number.MAX_VALUE)
  }
  const weight = scorekeeper.weight('m', 's')
  assert.ok(weight >= 0 && weight <= 1)
})

test('refuses predictions, truths and options that are none', () => {
  const scorekeeper = new Scorekeeper()
  const good = { model: 'm', source: 's', due: 1 }
  const wrong: unknown[] = [
    undefined,
    5,
    good,
    { ...good, probability: 0.5, levels: [0.5], quantiles: [1] },
    { ...good, probability: 1.1 },
    { ...good, probability: '1' },
    { ...good, levels: [0.5] },
    { ...good, quantiles: [1] },
    { ...good, levels: [0.5, 0.4], quantiles: [1, 2] },
    { ...good, levels: [0], quantiles: [1] },
    { ...good, levels: [0.5], quantiles: [Number.NaN] },
    { ...good, levels: [0.5], quantiles: [1n] },
    { ...good, levels: [0.5], quantiles: { length: 1e12 } },
    { ...good, levels: [], quantiles: [] },
    { ...good, model: 5, probability: 0.5 },
    { ...good, due: Number.POSITIVE_INFINITY, probability: 0.5 }
  ]
  for (const prediction of wrong) {
    isCoded(
      thrown(() => scorekeeper.expect(prediction as ScoredPrediction)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  for (const call of [
    () => scorekeeper.came(5 as never, 1, 1),
    () => scorekeeper.came('s', Number.NaN, 1),
    () => scorekeeper.came('s', 1, '1' as never),
    () => scorekeeper.advance('x' as never)
  ]) {
    isCoded(thrown(call), 'ERR_FORELOCK_ARGUMENT')
  }
  for (const options of [{ pending: 0 }, { models: 1.5 }, { patience: -1 }, { halfLife: 5 }, 5]) {
    isCoded(
      thrown(() => new Scorekeeper(options as ScorekeeperOptions)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  assert.is(scorekeeper.size, 0)
})

test.run()
