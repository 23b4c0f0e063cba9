import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BINS, BinnedLogistic, binOf, logOdds, someBin } from '../../../lib/predict/binned-logistic.js'
import { seeded } from './series.js'

const bins = (...of: number[]) => Uint8Array.from(of)

function taught(): BinnedLogistic {
  const random = seeded(5)
  const model = new BinnedLogistic(2, [[0, 1]], 2)
  for (let i = 0; i < 20_000; i++) {
    const [one, other] = [Math.floor(2 * random()), Math.floor(2 * random())]
    // Neither says anything alone.
    const chance = one === other ? 0.9 : 0.2
    model.learn(bins(one, other), 0, random() < chance)
  }
  return model
}

test('probabilities are frequencies, of pairs, too', () => {
  const model = taught()
  for (const [one, other, chance] of [
    [0, 0, 0.9],
    [1, 1, 0.9],
    [0, 1, 0.2],
    [1, 0, 0.2]
  ] as const) {
    const said = model.score(bins(one, other), 0)
    assert.ok(Math.abs(said - chance) < 0.05, `${said} of ${chance}`)
  }
})

test('is never certain', () => {
  const model = new BinnedLogistic(1, [], 1)
  for (let i = 0; i < 5_000; i++) {
    model.learn(bins(1), 0, true)
    model.learn(bins(2), 0, false)
  }
  const [always, never] = [model.score(bins(1), 0), model.score(bins(2), 0)]
  assert.ok(always > 0.99 && always < 1 && never < 0.01 && never > 0, `${always} ${never}`)
})

test('says at first what it is primed with', () => {
  const model = new BinnedLogistic(2, [], 1)
  model.prime(
    1,
    Array.from({ length: BINS }, (_, bin) => (bin === 7 ? logOdds(0.8) : 0))
  )
  assert.ok(Math.abs(model.score(bins(0, 7), 0) - 0.8) < 1e-6)
  assert.ok(Math.abs(model.score(bins(0, 6), 0) - 0.5) < 1e-6)
})

test('what one has learnt another goes on with; what is no model changes nothing', () => {
  const model = taught()
  const heir = new BinnedLogistic(2, [[0, 1]], 2)
  assert.ok(heir.load(JSON.parse(JSON.stringify(model.save()))))
  assert.equal(heir.save(), model.save())
  const saved = model.save() as [number[], number[], number[], number[]]
  const wrong: unknown[] = [
    undefined,
    [],
    saved.slice(1),
    [saved[0].slice(1), ...saved.slice(1)],
    [saved[0].map(() => Number.NaN), ...saved.slice(1)],
    [saved[0], saved[1].map(() => 0), saved[2], saved[3]],
    [saved[0], saved[1], saved[2].map(() => -1), saved[3]]
  ]
  for (const one of wrong) assert.not(heir.load(one))
  assert.equal(heir.save(), model.save())
})

test('bins have ends, and the first may be for nothing', () => {
  assert.equal(
    [-1e300, 0, 0.5, 1, 1e300, Number.POSITIVE_INFINITY, Number.NaN].map(value => binOf(value, 0, 1)),
    [0, 0, 16, 31, 31, 31, 0]
  )
  assert.equal(
    [-1, 0.5, 2].map(value => someBin(value, 0, 1)),
    [1, 16, 31]
  )
})

test.run()
