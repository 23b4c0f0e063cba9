import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LaneWatch } from '../../../lib/foresight/lane-watch.js'
import type { Governor } from '../../../lib/index.js'
import { joinArena } from '../../../lib/open.js'
import { Recorded, type RecordedRow } from '../../../lib/replay/recorded.js'
import { virtual } from '../support.js'

const LATE_MS = 1_000

function recording(): {
  gov: Governor
  watch: LaneWatch<Recorded>
  take: () => RecordedRow[]
  rest: () => RecordedRow[]
  end: () => Promise<void>
} {
  const gov = virtual()
  const session = joinArena({ handle: gov.handle })
  const watch = new LaneWatch(session, () => new Recorded(session.tiers))
  const began = watch.now()
  const read = (rows: (now: number) => RecordedRow[]) => {
    watch.readAll()
    return rows(watch.now()).map(row => ({ ...row, time: Math.round(row.time - began), duration: Math.round(row.duration) }))
  }
  return {
    gov,
    watch,
    take: () => read(now => watch.outlook.take(now)),
    rest: () => read(now => watch.outlook.rest(now)),
    async end() {
      watch.stop()
      session.leave()
      await gov.close()
    }
  }
}

const short = ({ time, duration, workflow, tier, lock, bucket, tokens, pool, units }: RecordedRow) =>
  [time, duration, workflow, tier, lock ?? bucket ?? pool, tokens ?? units].join(' ')

test('what was granted is written with the time at which it was asked for and the time that it was held, in that order', async () => {
  const { gov, rest, end } = recording()
  const lock = gov.lock('a', { workflow: 'first' })
  const pool = gov.pool('p', { capacity: { cpu: 8, memory: 100 } })
  const held = lock.tryAcquire()
  gov.advance(10)
  const waiting = gov.lock('a').acquire({ tier: 'interactive', tenant: 'acme' })
  gov.advance(2)
  const units = pool.tryAllocate({ cpu: 2, memory: 5 })
  gov.advance(28)
  held?.release()
  const second = await waiting
  gov.bucket('b', { rate: 100 }).tryTake(3)
  gov.advance(5)
  units?.release()
  second.release()
  const rows = rest()
  assert.equal(rows.map(short), ['0 40 first standard a ', '10 5  interactive a ', '12 33  standard p 2500', '40 0  standard b 3'])
  assert.is(rows[1]?.tenant, 'acme')
  await end()
})

test('nothing is written before what was asked for earlier and is held still', async () => {
  const { gov, take, end } = recording()
  const long = gov.lock('long').tryAcquire()
  gov.advance(10)
  const brief = gov.lock('short').tryAcquire()
  gov.advance(1)
  brief?.release()
  gov.advance(LATE_MS + 49)
  assert.equal(take(), [])
  long?.release()
  gov.advance(LATE_MS)
  assert.equal(take().map(short), ['0 1060  standard long ', '10 1  standard short '])
  assert.equal(take(), [])
  await end()
})

test('what is held for more than five minutes is written as that, and its end is no other request', async () => {
  const { gov, take, rest, end } = recording()
  const long = gov.lock('long').tryAcquire()
  gov.advance(300_001)
  assert.equal(take().map(short), ['0 300001  standard long '])
  long?.release()
  assert.equal(rest(), [])
  await end()
})

test('what is held at the end counts until then, and what was held before the beginning, or was refused, is left out', async () => {
  const before = virtual()
  const early = before.lock('early').tryAcquire()
  const pool = before.pool('p', { capacity: { cpu: 2 } })
  const earlier = pool.tryAllocate({ cpu: 1 })
  const session = joinArena({ handle: before.handle })
  const watch = new LaneWatch(session, () => new Recorded(session.tiers))
  const units = pool.tryAllocate({ cpu: 1 })
  early?.release()
  before.advance(20)
  earlier?.release()
  before.advance(3)
  units?.release()
  const held = before.lock('held').tryAcquire()
  assert.is(before.lock('held').tryAcquire(), null)
  before.advance(7)
  watch.readAll()
  const rows = watch.outlook.rest(watch.now())
  assert.equal(
    rows.map(({ lock, pool, duration }) => [lock ?? pool, Math.round(duration)]),
    [
      ['p', 23],
      ['held', 7]
    ]
  )
  assert.is(watch.outlook.refused, 1)
  held?.release()
  watch.stop()
  session.leave()
  await before.close()
})

test.run()
