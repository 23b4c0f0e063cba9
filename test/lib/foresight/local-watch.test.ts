import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LocalWatch } from '../../../lib/foresight/local-watch.js'
import { joinArena } from '../../../lib/open.js'
import { isCoded, rejection, virtual } from '../support.js'

test('it looks at times of the arena, unasked', async () => {
  const gov = virtual({ capacity: { telemetry: 64 } })
  const session = joinArena({ handle: gov.handle })
  const watch = new LocalWatch(session, { period: 100 }, { anomaly() {}, sized() {}, failed: assert.unreachable })
  for (let i = 0; i < 100; i++) {
    gov.lock('a').tryAcquire()?.release()
    gov.advance(50)
  }
  // More than its ring holds at once.
  const { events, lost } = await watch.ask('status')
  assert.equal([events, lost], [200, 0])
  await watch.stop()
  session.leave()
  await gov.close()
})

test('what goes wrong while it looks stops it, and is told', async () => {
  const gov = virtual()
  const session = joinArena({ handle: gov.handle })
  const told: unknown[] = []
  const watch = new LocalWatch(session, { period: 100 }, { anomaly() {}, sized() {}, failed: error => void told.push(error) })
  const broken = new Error('broken')
  ;(session.binding as { drainRecords: unknown }).drainRecords = () => {
    throw broken
  }
  gov.advance(100)
  assert.equal(told, [broken])
  isCoded(await rejection(watch.ask('status')), 'ERR_FORELOCK_CLOSED')
  session.leave()
  await gov.close()
})

test('when its session has left it answers no more', async () => {
  const gov = virtual()
  const session = joinArena({ handle: gov.handle })
  const watch = new LocalWatch(session, { period: 100 }, { anomaly() {}, sized() {}, failed: assert.unreachable })
  session.leave()
  isCoded(await rejection(watch.ask('status')), 'ERR_FORELOCK_CLOSED')
  await watch.stop()
  await gov.close()
})

test.run()
