import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Occurrences } from '../../../lib/foresight/occurrences.js'

test('runs that are told of in the order of their ends are put into that of their beginnings', () => {
  const occurrences = new Occurrences()
  for (let i = 0; i < 60; i++) {
    const time = 600_000 * i
    // The report is over long before the import that raised it.
    occurrences.began({ stream: 'report', time: time + 1_000, run: `r${i}` })
    occurrences.began({ stream: 'import', time, run: `i${i}` })
    occurrences.advance(time + 500_000)
  }
  const [trigger] = occurrences.triggers.triggers()
  assert.equal([trigger?.from, trigger?.to], ['import', 'report'])
  assert.ok(Math.abs((trigger?.lag.median ?? 0) - 1_000) < 200)
})

test('what nobody asks about for long is passed on by itself', () => {
  const occurrences = new Occurrences()
  for (let i = 0; i < 70_000; i++) occurrences.began({ stream: i % 2 === 0 ? 'a' : 'b', time: 50_000 * i + (i % 2) })
  occurrences.advance(Number.MAX_SAFE_INTEGER)
  assert.type(occurrences.triggers.triggers().length, 'number')
})

test.run()
