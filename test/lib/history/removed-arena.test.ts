import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open, openMemoryStore, RetiredError, unlink } from '../../../lib/index.js'

/** A recorder keeps no process alive. */
const alive = setInterval(() => {}, 1 << 30)

test('a recorder ends with an error when its arena is removed, and has written what was told before; one that waits for its turn ends as well', async () => {
  const name = `recorder-removed-${process.pid}`
  const options = { name, capacity: { telemetry: 4096 }, autoEnclose: false } as const
  const [gov, other] = [open(options), open(options)]
  const store = await openMemoryStore()
  const recorder = gov.record(store, { interval: 10 })
  await recorder.begun
  const waiting = other.record(store, { interval: 10 })
  gov.lock('before').tryAcquire()?.release()
  unlink(name, { force: true })
  while (recorder.error === undefined || waiting.error === undefined) await turn()
  for (const { error, status } of [recorder, waiting]) {
    assert.instance(error, RetiredError)
    assert.is(status.active, false)
  }
  await store.flush()
  assert.is((await store.select('events', { where: { element: 'before' } })).length, 2)
  await gov.close()
  await other.close()
  await store.close()
})

test.after(() => clearInterval(alive))

test.run()
