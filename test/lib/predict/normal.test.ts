import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { normalQuantile } from '../../../lib/predict/normal.js'

test('agrees with the tables, on both sides and far out', () => {
  const table: [number, number][] = [
    [0.5, 0],
    [0.75, 0.6744897502],
    [0.9, 1.2815515655],
    [0.975, 1.9599639845],
    [0.999, 3.0902323062],
    [1e-9, -5.997807015]
  ]
  for (const [probability, value] of table) {
    assert.ok(Math.abs(normalQuantile(probability) - value) < 1e-7, `${probability}`)
    assert.ok(Math.abs(normalQuantile(1 - probability) + value) < 1e-6, `${1 - probability}`)
  }
})

test.run()
