import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Governor, open } from '../../lib/index.js'
import { Agent } from './agents.js'
import { isCoded, rejection, thrown, virtual } from './support.js'

async function governed(options: Parameters<typeof virtual>[0], body: (gov: Governor) => unknown) {
  const gov = virtual(options)
  try {
    await body(gov)
  } finally {
    await gov.close()
  }
}

/** Whether a value is within the resolution of the histogram of another. */
function near(value: number, wanted: number): boolean {
  return Math.abs(value - wanted) <= wanted / 16
}

test('an arena that nobody has used has nothing to tell', () =>
  governed({}, gov => {
    assert.equal(gov.stats(), { elements: [], rest: [] })
    assert.equal(gov.stats({ names: ['a'] }).elements, [])
  }))

test('grants, waits and holds are counted by tier, with quantiles', () =>
  governed({}, async gov => {
    gov.telemetry.attach()
    const lock = gov.lock('a')
    for (let i = 1; i <= 100; i++) {
      const held = await lock.acquire({ tier: 'background' })
      const next = lock.acquire({ tier: 'critical' })
      gov.advance(i)
      held.release()
      ;(await next).release()
    }
    const [{ name, kind, tiers }] = gov.stats().elements
    assert.is(name, 'a')
    assert.is(kind, 'lock')
    const { background, critical } = tiers
    assert.equal(Object.keys(tiers), ['background', 'critical'])
    assert.is(background.grants, 100)
    assert.is(background.wait.max, 0)
    assert.is(background.hold.count, 100)
    assert.is(background.hold.max, 100)
    assert.ok(near(background.hold.p50, 50) && near(background.hold.p90, 90) && near(background.hold.p99, 99))
    assert.is(critical.grants, 100)
    assert.ok(near(critical.wait.p50, 50))
    assert.is(critical.wait.max, 100)
    assert.ok(near(background.utilisation, 1))
  }))

test('contention is counted without an observer, from the first question on', () =>
  governed({}, async gov => {
    gov.stats()
    const lock = gov.lock('a')
    const held = lock.tryAcquire()
    assert.is(lock.tryAcquire(), null)
    const late = rejection(lock.acquire({ waitTimeout: 5 }))
    const waits = lock.acquire()
    gov.advance(10)
    await late
    const { standard } = gov.stats({ names: ['a'] }).elements[0].tiers
    assert.is(standard.refusals, 1)
    assert.is(standard.timeouts, 1)
    assert.is(standard.waiting, 1)
    held?.release()
    ;(await waits).release()
    const after = gov.stats().elements[0].tiers.standard
    assert.is(after.waiting, 0)
    assert.is(after.grants, 1)
    assert.is(after.wait.max, 10)
    assert.is(after.hold.count, 0)
  }))

test('top limits them to the busiest, names picks them', () =>
  governed({}, gov => {
    gov.telemetry.attach()
    for (let i = 1; i <= 5; i++) for (let j = 0; j < i; j++) gov.lock(`lock-${i}`).tryAcquire()?.release()
    const names = (stats: ReturnType<Governor['stats']>) => stats.elements.map(element => element.name)
    assert.equal(names(gov.stats({ top: 2 })), ['lock-5', 'lock-4'])
    assert.equal(names(gov.stats({ top: 0 })), [])
    assert.equal(names(gov.stats({ names: ['lock-1', 'none', 'lock-3'] })), ['lock-1', 'lock-3'])
  }))

test('the grants of all environments are together', async () => {
  const gov = open({ fresh: true })
  gov.telemetry.attach()
  const agents = await Promise.all([Agent.thread({ handle: gov.handle }), Agent.thread({ handle: gov.handle })])
  for (const agent of agents) {
    for (let i = 0; i < 10; i++) {
      const grant = agent.acquire('a')
      await grant.done
      await agent.release(grant).done
    }
    await agent.close().done
  }
  const { standard } = gov.stats({ names: ['a'] }).elements[0].tiers
  assert.is(standard.grants, 20)
  assert.is(standard.hold.count, 20)
  await Promise.all(agents.map(agent => agent.kill()))
  await gov.close()
})

test('options that make no sense are refused', () =>
  governed({}, async gov => {
    for (const bad of [{ top: -1 }, { top: 4097 }, { top: 1.5 }, { names: 'a' }, { names: [1] }, { tops: 1 }, 5]) {
      isCoded(
        thrown(() => gov.stats(bad as never)),
        'ERR_FORELOCK_ARGUMENT'
      )
    }
    await gov.close()
    isCoded(
      thrown(() => gov.stats()),
      'ERR_FORELOCK_CLOSED'
    )
  }))

test.run()
