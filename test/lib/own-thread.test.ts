import { once } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startThread } from '../../lib/own-thread.js'

test('starts a module of the package in a thread', async () => {
  const worker = startThread('predict/trained/thread', { name: 'a thread' })
  worker.postMessage({ kind: 'ets', periods: [], steps: 2, budget: 1, values: Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) })
  const [first] = await once(worker, 'message')
  assert.equal(first, { event: 'begun' })
  await worker.terminate()
})

test.run()
