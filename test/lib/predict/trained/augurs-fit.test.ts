import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadAugurs } from '../../../../lib/predict/trained/augurs-fit.js'
import { seeded } from '../series.js'

const random = seeded(6)
const wave = Float64Array.from({ length: 240 }, (_, i) => Math.sin((2 * Math.PI * i) / 24) + 0.05 * random())

test('each engine says as many values as it is asked for, all of them finite', async () => {
  for (const kind of ['mstl', 'ets', 'prophet'] as const) {
    const line = await loadAugurs(kind)
    const said = line({ kind, periods: [24], steps: 30, values: wave, budget: 1 })
    assert.is(said?.length, 30)
    assert.ok(said?.every(Number.isFinite))
  }
})

test('an engine that finds nothing that fits says nothing, and goes on', async () => {
  const line = await loadAugurs('ets')
  assert.is(line({ kind: 'ets', periods: [], steps: 3, values: new Float64Array(1), budget: 1 }), undefined)
  assert.is(line({ kind: 'ets', periods: [], steps: 3, values: wave, budget: 1 })?.length, 3)
})

test.run()
