import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ControlWindows, WINDOW_MS } from '../../../lib/plan/control-windows.js'

const windowsOf = (windows: ControlWindows, count = 4000) =>
  Array.from({ length: count }, (_, i) => i).filter(window => windows.has(window * WINDOW_MS))

test('of windows the stated part is left out, the same each time, and others for another seed', () => {
  const one = windowsOf(new ControlWindows(0.25, 1, 1))
  // Four standard deviations are 0.027.
  assert.ok(Math.abs(one.length / 4000 - 0.25) < 0.028, String(one.length))
  assert.equal(windowsOf(new ControlWindows(0.25, 1, 1)), one)
  const other = new Set(windowsOf(new ControlWindows(0.25, 2, 1)))
  assert.ok(Math.abs(one.filter(window => other.has(window)).length / one.length - 0.25) < 0.06)
})

test('a window is left out as a whole', () => {
  const windows = new ControlWindows(0.5, 1, 1)
  for (let window = 0; window < 100; window++) {
    const first = windows.has(window * WINDOW_MS)
    assert.is(windows.has((window + 1) * WINDOW_MS - 1), first)
  }
})

test('waits are told apart by group, and by whether their request came in a window that is left out', () => {
  const windows = new ControlWindows(0.5, 1, 2)
  const [control] = windowsOf(windows) as [number]
  const planned = [...Array(100).keys()].find(window => !windows.has(window * WINDOW_MS)) as number
  for (const [window, waited] of [[control, 40] as const, [control, 60] as const, [planned, 10] as const])
    windows.count(window * WINDOW_MS, 1, waited)
  assert.equal(windows.waits(1, true), { requests: 2, wait: 50 })
  assert.equal(windows.waits(1, false), { requests: 1, wait: 10 })
  assert.equal(windows.waits(0, true), { requests: 0, wait: 0 })
})

test.run()
