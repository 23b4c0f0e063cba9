import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { leadingLag, leadOf } from '../../../lib/predict/lead.js'
import { normal, seeded } from './series.js'

const NO_MEMORY = { lags: [], weights: [] }

test('finds the lag of a stream that goes before, either way round', () => {
  const random = seeded(2)
  const stream = Float64Array.from({ length: 500 }, () => 100 + 7 * normal(random))
  for (const by of [1, -1]) {
    const residual = Float64Array.from({ length: 500 }, (_, i) => by * ((stream[i - 6] ?? 100) - 100) + 10 * normal(random))
    const lead = leadingLag('s', stream, residual, NO_MEMORY, 500)
    assert.is(lead?.lag, 6)
    assert.ok(Math.abs((lead?.mean as number) - 100) < 2 && Math.abs((lead?.deviation as number) - 7) < 1)
  }
})

test('finds none where there is none, in 100 pairs of lines', () => {
  const random = seeded(3)
  const line = () => Float64Array.from({ length: 300 }, () => normal(random))
  const found = Array.from({ length: 100 }, () => leadingLag('s', line(), line(), NO_MEMORY, 300)).filter(lead => lead !== undefined)
  assert.ok(found.length <= 2, `${found.length}`)
})

test('of a stream that is constant, unknown or short it says nothing', () => {
  const residual = new Float64Array(300).map((_, i) => i % 7)
  for (const values of [new Float64Array(300).fill(5), new Float64Array(300).fill(Number.NaN), new Float64Array(3), new Float64Array(0)]) {
    assert.is(leadingLag('s', values, residual, NO_MEMORY, 300), undefined)
  }
})

test('a value is told about the mean, by standard deviations, and is 0 where it is unknown', () => {
  const lead = { name: 's', lag: 2, mean: 10, deviation: 5 }
  assert.is(leadOf(lead, [20, Number.NaN], 2), 2)
  assert.is(leadOf(lead, [20, Number.NaN], 3), 0)
  assert.is(leadOf(lead, [20], 0), 0)
  assert.is(leadOf(lead, undefined, 2), 0)
})

test.run()
