import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { seasonsOf } from '../../../lib/predict/season.js'
import { hourly, normal, seeded } from './series.js'

const series = (length: number, of: (t: number, noise: () => number) => number) => {
  const random = seeded(8)
  return Float64Array.from({ length }, (_, t) => of(t, () => normal(random)))
}
const wave = (t: number, period: number) => Math.sin((2 * Math.PI * t) / period)

test('finds a day and a week', () => {
  assert.equal(seasonsOf(Float64Array.from(hourly(900, 4))), [24, 168])
})

test('finds a period of its own beside the first one', () => {
  const [short, long = 0] = seasonsOf(series(900, (t, noise) => 5 * wave(t, 17) + 3 * wave(t, 60) + noise()))
  assert.is(short, 17)
  assert.ok(Math.abs(long - 60) <= 1)
})

test('finds the season of a series that drifts and grows', () => {
  let level = 0
  const drifting = series(1_000, (t, noise) => {
    level += noise()
    return level + t / 10 + 20 * wave(t, 48)
  })
  assert.is(seasonsOf(drifting)[0], 48)
})

test('finds a season of which three periods were seen, and no longer one', () => {
  const [period = 0] = seasonsOf(series(310, t => wave(t, 100)))
  assert.ok(Math.abs(period - 100) <= 2)
  assert.equal(seasonsOf(series(250, t => wave(t, 100))), [])
})

test('finds none in noise, in a line and in what is always the same', () => {
  const none = [series(1_000, (_, noise) => noise()), series(1_000, t => t), series(1_000, () => 5), series(3, t => t), new Float64Array(0)]
  for (const values of none) assert.equal(seasonsOf(values), [])
})

test('seldom takes the waves of a walk for one', () => {
  let found = 0
  for (let seed = 0; seed < 50; seed++) {
    const random = seeded(seed)
    let level = 0
    if (seasonsOf(Float64Array.from({ length: 1_000 }, () => (level += normal(random)))).length > 0) found++
  }
  assert.ok(found <= 6, `${found} of 50`)
})

test('the unit of the values makes no difference', () => {
  for (const unit of [1e-300, 1e300]) assert.is(seasonsOf(series(500, t => unit * (2 + wave(t, 24))))[0], 24)
})

test.run()
