import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { merged } from '../../../lib/replay/adapters/merge.js'
import { Lookahead } from '../../../lib/replay/lookahead.js'
import { inBatches, type TraceRequest } from '../../../lib/replay/trace.js'
import { request } from './support.js'

const at = (...times: number[]) => times.map(time => request({ time, duration: 1 }))

async function* batchesOf(...batches: TraceRequest[][]) {
  yield* batches
}

test('it reads until it knows that nothing else comes up to a time', async () => {
  const ahead = new Lookahead(batchesOf(at(0, 5), at(5, 9), at(20), at(30)))
  await ahead.fill(5)
  assert.is(ahead.reaches(5), true)
  assert.equal(
    [...ahead.until(5)].map(({ time }) => time),
    [0, 5, 5]
  )
  assert.is(ahead.reaches(9), false)
  await ahead.fill(9)
  assert.is(ahead.reaches(9), true)
  assert.is(ahead.reaches(20), false)
})

test('what was taken is not seen any more, and at the end there is nothing', async () => {
  const ahead = new Lookahead(batchesOf(at(1), [], at(2)))
  const seen: number[] = []
  for (;;) {
    await ahead.fill(seen.at(-1) ?? 0)
    if (ahead.next === undefined) break
    seen.push(ahead.next.time)
    ahead.take()
  }
  assert.equal(seen, [1, 2])
  assert.is(ahead.reaches(Number.POSITIVE_INFINITY), true)
})

test('who stops before the end lets go of what is read', async () => {
  let closed = false
  async function* source() {
    try {
      yield at(1)
      yield at(2)
    } finally {
      closed = true
    }
  }
  const ahead = new Lookahead(source())
  await ahead.fill(0)
  await ahead.close()
  assert.is(closed, true)
})

test('several sources are one in the order of time, and of two at once the earlier source comes first', async () => {
  const [one, other] = [at(1, 4, 4, 9), at(0, 4, 5)]
  const all: TraceRequest[] = []
  for await (const batch of merged([inBatches(one), inBatches(other), batchesOf()])) all.push(...batch)
  assert.equal(all, [other[0], one[0], one[1], one[2], other[1], other[2], one[3]])
})

test.run()
