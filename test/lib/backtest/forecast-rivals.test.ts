import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { forecastRivals } from '../../../lib/backtest/forecast-rivals.js'
import { hourly } from '../predict/series.js'

test('each says what comes, of a series that it can say something of', async () => {
  const values = hourly(360, 1)
  const rivals = await forecastRivals()
  assert.equal(
    rivals.map(({ name }) => name),
    ['augurs MSTL', 'augurs ETS', 'augurs Prophet', 'TensorFlow.js LSTM']
  )
  for (const { name, forecast } of rivals) {
    const said = await forecast(values, [24], 12)
    assert.is(said?.length, 12, name)
    for (const value of said ?? []) assert.ok(value > -100 && value < 300, `${name} says ${value}`)
    assert.is(await forecast(new Array(50).fill(3), [24], 12), undefined)
  }
})

test.run()
