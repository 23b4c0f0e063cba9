import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { HoldLog } from '../../../lib/shadow/hold-log.js'

const held = (amounts?: Record<string, number>) => ({ ended: false, release: () => true, ...(amounts !== undefined && { amounts }) })

test('what was held is known with the time from the beginning of the run, and counted by what it was booked to', () => {
  const log = new HoldLog()
  const [first, second] = [held(), held({ cpu: 2 })]
  log.add('lock', 'a', first, undefined, 95)
  log.add('pool', 'p', second, 'act', 110)
  log.add('lock', 'b', held(), 'act', 120)
  first.ended = true
  log.look(130)
  log.look(140)
  assert.equal(log.spans(100), [
    { kind: 'lock', name: 'a', amounts: undefined, action: undefined, ordinal: 0, from: 0, until: 30 },
    { kind: 'pool', name: 'p', amounts: { cpu: 2 }, action: 'act', ordinal: 0, from: 10, until: undefined },
    { kind: 'lock', name: 'b', amounts: undefined, action: 'act', ordinal: 1, from: 20, until: undefined }
  ])
})

test('a run of many holds is remembered by the first of them', () => {
  const log = new HoldLog()
  for (let i = 0; i < 1000; i++) log.add('lock', `${i}`, held(), undefined, i)
  assert.is(log.spans(0).length, 256)
})

test.run()
