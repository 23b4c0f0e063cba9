import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Activity } from '../../../lib/foresight/activity.js'
import { LaneWatch } from '../../../lib/foresight/lane-watch.js'
import { Outlook } from '../../../lib/foresight/outlook.js'
import { joinArena } from '../../../lib/open.js'
import type { PoolUsage } from '../../../lib/pool.js'
import { isCoded, thrown, virtual } from '../support.js'

/** Of the arena of a governor, in a session of its own. */
function watching(handle: string): [LaneWatch, () => void] {
  const session = joinArena({ handle })
  const watch = new LaneWatch(session, since => new Outlook(session.tiers, since))
  return [
    watch,
    () => {
      watch.stop()
      session.leave()
    }
  ]
}

test('it reads what another environment does, beside whoever else reads', async () => {
  const gov = virtual()
  const [watch, end] = watching(gov.handle)
  gov.telemetry.attach()
  gov.lock('a').tryAcquire()?.release()
  watch.readAll()
  assert.is(watch.events, 2)
  assert.is(gov.telemetry.drain(new Uint8Array(640)), 2)
  end()
  await gov.close()
})

test('each element has a number of its own by which it is told of again, and what is kept of a record is a copy', async () => {
  const gov = virtual()
  const session = joinArena({ handle: gov.handle })
  const told: [string, number | undefined][] = []
  const kept: Activity[] = []
  const happened = (activities: readonly Activity[]) => {
    for (const { name, hint } of activities) told.push([name, hint])
    kept.push(...activities)
  }
  const watch = new LaneWatch(session, () => ({ happened, ended() {}, used() {} }))
  for (const name of ['a', 'b', 'a', 'b']) {
    gov.lock(name).tryAcquire()?.release()
    watch.readAll()
  }
  const hints = new Map(told)
  assert.equal([...hints.keys()], ['a', 'b'])
  assert.is.not(hints.get('a'), hints.get('b'))
  for (const [name, hint] of told) assert.is(hint, hints.get(name))
  assert.is(new Set(kept).size, 2, 'the same objects each time')
  watch.stop()
  session.leave()
  await gov.close()
})

test('elements of the library, and of rules that run dry, are left out', async () => {
  const gov = virtual()
  const [watch, end] = watching(gov.handle)
  gov.lock('forelock:recorder').tryAcquire()?.release()
  gov.lock('a', { shadow: true }).tryAcquire()?.release()
  watch.readAll()
  assert.is(watch.events, 0)
  end()
  await gov.close()
})

test('what pools have handed out is looked at while time goes on', async () => {
  const gov = virtual()
  const [watch, end] = watching(gov.handle)
  gov.pool('host', { capacity: { cpu: 8 } }).tryAllocate({ cpu: 3 })
  for (let i = 0; i < 20; i++) {
    watch.readAll()
    gov.advance(100)
  }
  const { point } = await watch.outlook.demand({ pool: 'host', dimension: 'cpu' }, { horizon: 300 }, watch.now())
  assert.equal([...point], [3, 3, 3])
  end()
  await gov.close()
})

test('runs of workflows that learn what they need are told of as they are', async () => {
  const gov = virtual()
  const session = joinArena({ handle: gov.handle })
  const told: unknown[] = []
  const watch = new LaneWatch(
    session,
    since => new Outlook(session.tiers, since),
    record => told.push([record.workflow, record.sized?.used])
  )
  const pool = gov.pool('host', { capacity: { memory: 160 } })
  await gov.workflow('learns', { needs: 'learn', pool, metering: false }).run(run => void run.uses({ memory: 5 }))
  await gov.workflow('does not', { metering: false }).run(() => undefined)
  watch.readAll()
  assert.equal(told, [['learns', { memory: 5 }]])
  watch.stop()
  session.leave()
  await gov.close()
})

test('runs of workflows are read from their notes', async () => {
  const gov = virtual()
  const [watch, end] = watching(gov.handle)
  for (let i = 0; i < 10; i++) await gov.workflow('encode', { metering: false }).run(() => gov.advance(50))
  watch.readAll()
  assert.is(watch.runs, 10)
  assert.is(Math.round(watch.outlook.usage({ workflow: 'encode' }).duration?.expected ?? 0), 50)
  end()
  await gov.close()
})

test('its time is that of the arena', async () => {
  const gov = virtual()
  const [watch, end] = watching(gov.handle)
  const before = watch.now()
  gov.advance(86_400_000)
  assert.ok(Math.abs(watch.now() - before - 86_400_000) < 1)
  end()
  await gov.close()
})

test('what was overwritten before it was read is counted', async () => {
  const gov = virtual({ capacity: { telemetry: 64 } })
  const [watch, end] = watching(gov.handle)
  for (let i = 0; i < 200; i++) gov.lock('a').tryAcquire()?.release()
  watch.readAll()
  assert.is(watch.lost, 400 - watch.events)
  assert.ok(watch.lost > 300)
  end()
  await gov.close()
})

test('when it is stopped nobody observes any more', async () => {
  const gov = virtual()
  const [watch, end] = watching(gov.handle)
  end()
  gov.lock('a').tryAcquire()?.release()
  assert.is(watch.read(), false)
  assert.is(watch.events, 0)
  await gov.close()
})

test('an arena without room for telemetry cannot be watched', async () => {
  const gov = virtual({ capacity: { telemetry: 0 } })
  const session = joinArena({ handle: gov.handle })
  isCoded(
    thrown(() => new LaneWatch(session, since => new Outlook(session.tiers, since))),
    'ERR_FORELOCK_CAPACITY'
  )
  session.leave()
  await gov.close()
})

test('of more pools than are looked at, those that were asked for last are', async () => {
  const gov = virtual({ capacity: { elements: 2048 } })
  const looked = new Set<string>()
  const session = joinArena({ handle: gov.handle })
  const watch = new LaneWatch(session, () => ({ happened: () => {}, ended: () => {}, used: (_, name) => void looked.add(name) }))
  const ask = (name: string) =>
    gov
      .pool(name, { capacity: { slots: 1 } })
      .tryAllocate({ slots: 1 })
      ?.release()
  for (let i = 0; i < 600; i++) {
    for (const name of [`p${i}`, 'always']) ask(name)
    if (i % 50 !== 49) continue
    watch.readAll()
    gov.advance(100)
  }
  looked.clear()
  watch.readAll()
  gov.advance(100)
  watch.readAll()
  assert.is(looked.size, 256)
  assert.ok(looked.has('always') && looked.has('p599') && looked.has('p450') && !looked.has('p0'))
  watch.stop()
  session.leave()
  await gov.close()
})

test('of a pool of which the same is handed out as at the last look the same is told again, for who listens to compare', async () => {
  const gov = virtual()
  const session = joinArena({ handle: gov.handle })
  const told: PoolUsage[] = []
  const watch = new LaneWatch(session, () => ({ happened() {}, ended() {}, used: (_now, _name, usage) => void told.push(usage) }))
  const pool = gov.pool('jobs', { capacity: { slots: 4 } })
  const look = (): PoolUsage | undefined => {
    gov.advance(100)
    watch.readAll()
    return told.at(-1)
  }
  pool.tryAllocate({ slots: 1 })?.release()
  const idle = look()
  assert.is(look(), idle)
  const allocation = pool.tryAllocate({ slots: 1 })
  const busy = look()
  assert.is.not(busy, idle)
  assert.equal([idle?.used, busy?.used], [{ slots: 0 }, { slots: 1 }])
  pool.resize({ slots: 5 })
  assert.equal(look()?.capacity, { slots: 5 })
  allocation?.release()
  assert.equal(look()?.tiers.standard?.used, { slots: 0 })
  watch.stop()
  session.leave()
  await gov.close()
})

test.run()
