import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { usageBetween } from '../../../lib/index.js'
import { ALL_LENGTH, COUNTERS, TIME_LENGTH } from '../../../lib/metering/counters.js'
import { isCoded, thrown } from '../support.js'

const all = { length: ALL_LENGTH }

test('counters are subtracted, memory is what it was at the end', () => {
  const buffer = new Float64Array(2 * ALL_LENGTH + 1)
  for (let i = 0; i < ALL_LENGTH; i++) {
    buffer[1 + i] = 10 * i
    buffer[1 + ALL_LENGTH + i] = 11 * i + 1
  }
  const usage = usageBetween(all, buffer, 1, 1 + ALL_LENGTH)
  const { memory, memoryPeak, ...rest } = usage
  assert.is(memory, 45)
  assert.is(memoryPeak, 56)
  assert.equal(Object.values(rest), [1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13, 14])
  assert.equal(
    Object.keys(usage),
    COUNTERS.map(([field]) => field)
  )
})

test('what is missing at either end is absent', () => {
  const buffer = new Float64Array(2 * ALL_LENGTH)
  buffer[2] = Number.NaN
  buffer[ALL_LENGTH + 3] = Number.NaN
  const usage = usageBetween(all, buffer, 0, ALL_LENGTH)
  assert.not('cpuUser' in usage)
  assert.not('cpuSystem' in usage)
  assert.is(usage.cpu, 0)
})

test('a peak that did not rise was not reached in between', () => {
  const buffer = new Float64Array(2 * ALL_LENGTH)
  buffer[5] = 7
  buffer[ALL_LENGTH + 5] = 7
  assert.not('memoryPeak' in usageBetween(all, buffer, 0, ALL_LENGTH))
})

test('an estimate that fell behind itself is no use, not less', () => {
  const buffer = new Float64Array(2 * ALL_LENGTH)
  buffer[12] = 5
  buffer[ALL_LENGTH + 12] = 4
  assert.is(usageBetween(all, buffer, 0, ALL_LENGTH).instructions, 0)
})

test('of time alone there is wall and CPU time', () => {
  assert.equal(usageBetween({ length: TIME_LENGTH }, Float64Array.of(1, 2, 4, 7), 0, 2), { wall: 3, cpu: 5 })
})

test('places without room for a reading are refused', () => {
  const buffer = new Float64Array(3)
  for (const [from, to] of [
    [0, 2],
    [2, 0],
    [-1, 0],
    [0, 0.5]
  ]) {
    isCoded(
      thrown(() => usageBetween({ length: 2 }, buffer, from, to)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  isCoded(
    thrown(() => usageBetween({ length: 2 }, [1, 2, 3, 4] as never, 0, 2)),
    'ERR_FORELOCK_ARGUMENT'
  )
})

test.run()
