import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadAddon } from '../../../lib/native/load.js'
import { startThread } from '../../../lib/thread/start.js'
import { leavingOne, placeOf, threadsOf } from './threads.js'

test('a thread that gives way is nicer, leaves the first processor to others, and no other thread does', async () => {
  const others = threadsOf(process.pid)
  const places = others.map(placeOf)
  const thread = startThread(fileURLToPath(new URL('give-way.thread', import.meta.url)), 'test', undefined)
  const [[before, then, last]] = await once(thread, 'message')
  assert.equal(then, { nice: Math.min(19, before.nice + 3), processors: leavingOne(before.processors) })
  assert.is(last.nice, 19)
  assert.equal(others.map(placeOf), places)
  await thread.terminate()
})

test('what is no thread of this process is not moved, and what is no number of one is refused', () => {
  const { leaveProcessor } = loadAddon()
  const before = placeOf(process.ppid)
  assert.is(leaveProcessor(process.ppid), false)
  assert.equal(placeOf(process.ppid), before)
  for (const wrong of [undefined, '0', -1, 0.5, Number.NaN, 2 ** 31, 2n]) {
    assert.throws(
      () => leaveProcessor(wrong as number),
      (error: Error) => error instanceof TypeError,
      String(wrong)
    )
  }
})

test.run()
