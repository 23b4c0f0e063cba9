import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Row } from '../../../lib/predict/usage-input.js'
import { logOf, WINDOW, Window } from '../../../lib/predict/usage-window.js'

const row = (numbers: number[], texts: number[] = []): Row => ({ numbers: Float64Array.from(numbers), texts: Int32Array.from(texts) })

test('keeps the last rows, oldest first', () => {
  const window = new Window()
  for (let i = 0; i < WINDOW + 40; i++) window.add(row([i]), 2 * i)
  assert.is(window.length, WINDOW)
  const rows = window.save()
  assert.equal(rows[0], [80, [40], []])
  assert.equal(rows.at(-1), [2 * (WINDOW + 39), [WINDOW + 39], []])
  assert.is(window.amounts[window.slot(0)], 80)
})

test('a field that is new is missing in the rows before it', () => {
  const window = new Window()
  window.add(row([1]), 1)
  window.add(row([2, 3], [7, 8]), 2)
  window.add(row([]), 3)
  assert.equal(window.save(), [
    [1, [1, null], [0, 0]],
    [2, [2, 3], [7, 8]],
    [3, [null, null], [0, 0]]
  ])
})

test('logarithms go through zero, alike on both sides', () => {
  assert.is(logOf(0), 0)
  assert.is(logOf(-5), -logOf(5))
  assert.is(logOf(Math.E - 1), 1)
  assert.ok(Number.isNaN(logOf(Number.NaN)))
  assert.ok(Number.isFinite(logOf(-Number.MAX_VALUE)))
})

test.run()
