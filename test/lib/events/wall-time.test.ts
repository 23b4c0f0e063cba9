import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZone, offsetAt, timeAt } from '../../../lib/events/wall-time.js'
import { isCoded, thrown } from '../support.js'

const HOUR = 3_600_000

test('knows how far clocks are ahead, by the half hour and the second, too', () => {
  assert.is(offsetAt('UTC', 0), 0)
  assert.is(offsetAt('Europe/Berlin', Date.UTC(2026, 0, 1)), HOUR)
  assert.is(offsetAt('Europe/Berlin', Date.UTC(2026, 6, 1)), 2 * HOUR)
  assert.is(offsetAt('Asia/Kolkata', 0), 5.5 * HOUR)
  assert.is(offsetAt('America/St_Johns', Date.UTC(2026, 0, 1)), -3.5 * HOUR)
  assert.is(offsetAt('Europe/Berlin', Date.UTC(1850, 0, 1)), (53 * 60 + 28) * 1000)
})

test('what clocks show is a time that they show then, whenever there is one', () => {
  for (const zone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Asia/Kathmandu']) {
    for (let time = Date.UTC(2026, 0, 1); time < Date.UTC(2027, 0, 1); time += HOUR / 2) {
      const wall = time + offsetAt(zone, time)
      const found = timeAt(zone, wall)
      assert.is(found + offsetAt(zone, found), wall)
      assert.ok(found <= time, 'the first of two')
    }
  }
})

test('a zone that nobody knows is refused', () => {
  assert.is(isZone('Europe/Berlin'), true)
  for (const name of ['Mars/Phobos', '', 'x'.repeat(1_000)]) {
    assert.is(isZone(name), false)
    isCoded(
      thrown(() => offsetAt(name, 0)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test.run()
