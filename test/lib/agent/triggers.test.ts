import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { AgentOptions, AgentStatus, Governor } from '../../../lib/index.js'
import { open } from '../../../lib/index.js'
import { randomsOf } from '../../../lib/randoms.js'

const STEP_MS = 20
const UNTIL_MS = 600_000
const LEARNT_MS = 200_000
const LAG_MS = 300

type Request = (gov: Governor, workflow: 'A' | 'B' | 'low') => { asked: Promise<{ release(): unknown }>; held: number }

interface Waits {
  /** ms, mean, of the requests after it had learnt */
  readonly raised: number
  readonly low: number
  readonly status: AgentStatus
}

/** A every some seconds at random, B 300 ms later with a probability, and work of a lower tier at random. */
async function lived(request: Request, probability: number, lowEvery: number, options: AgentOptions, until = UNTIL_MS): Promise<Waits> {
  // Which times are left without plans is drawn by the time of day.
  const gov = open({ clock: 'virtual', autoEnclose: false, predict: { control: 0, ...options } })
  const random = randomsOf(7)
  const waits = { A: { count: 0, ms: 0 }, B: { count: 0, ms: 0 }, low: { count: 0, ms: 0 } }
  let time = 0
  let events: { readonly at: number; run(): void }[] = []
  const later = (ms: number, run: () => void) => void events.push({ at: time + ms, run })
  const ask = (workflow: 'A' | 'B' | 'low') => {
    const since = time
    const { asked, held } = request(gov, workflow)
    asked.then(grant => {
      if (since >= LEARNT_MS) {
        waits[workflow].count++
        waits[workflow].ms += time - since
      }
      later(held, () => grant.release())
    }, assert.unreachable)
  }
  const first = () => {
    ask('A')
    if (random() < probability) later(LAG_MS, () => ask('B'))
    later(2000 + 6000 * random(), first)
  }
  const low = () => {
    ask('low')
    later(-Math.log(1 - random()) * lowEvery, low)
  }
  first()
  low()
  for (; time < until; time += STEP_MS) {
    const due = events.filter(({ at }) => at <= time)
    events = events.filter(({ at }) => at > time)
    for (const { run } of due) run()
    gov.advance(STEP_MS)
    await turn()
  }
  const status = (await gov.agent.status()) as AgentStatus
  await gov.close()
  const mean = ({ count, ms }: { count: number; ms: number }) => (count === 0 ? 0 : ms / count)
  return { raised: mean(waits.B), low: mean(waits.low), status }
}

/** Ten slots, of which lower work wants eight and now and then all. B asks for two. */
const ofSlots = (): Request => {
  const random = randomsOf(11)
  return (gov, workflow) => {
    const pool = gov.semaphore('slots', 10)
    const tier = { A: 'standard', B: 'interactive', low: 'background' }[workflow]
    const held = { A: 50, B: 200, low: 1000 + 1000 * random() }[workflow]
    return { asked: pool.acquire(workflow === 'B' ? 2 : 1, { tier, workflow }), held }
  }
}

/** A lock that lower work has a third of the time, and that B asks for. */
const ofLock = (): Request => {
  const random = randomsOf(11)
  return (gov, workflow) => {
    const tier = { A: 'standard', B: 'interactive', low: 'background' }[workflow]
    const held = { A: 50, B: 50, low: 400 + 300 * random() }[workflow]
    return { asked: gov.lock(workflow === 'A' ? 'a' : 'ledger').acquire({ tier, workflow }), held }
  }
}

test('units that a workflow will ask for are kept free when the one begins that raises it', async () => {
  const without = await lived(ofSlots(), 0.9, 180, { triggers: false, warm: false })
  const withIt = await lived(ofSlots(), 0.9, 180, { warm: false })
  assert.ok(withIt.raised < 0.5 * without.raised, `${withIt.raised} ms, and ${without.raised} ms without`)
  assert.ok(withIt.low < 1.3 * without.low + 10, `${withIt.low} ms of the others, and ${without.low} ms without`)
  assert.is(withIt.status.pools.slots?.on, true)
  assert.is(without.status.triggers, undefined)
  const { known, foretold, came, missed } = withIt.status.triggers ?? { known: 0, foretold: 0, came: 0, missed: 0 }
  assert.is(known, 1)
  assert.ok(came > 5 * missed && foretold > 50, `${came} came, ${missed} did not`)
})

test('a lock that it will ask for is held for it', async () => {
  const without = await lived(ofLock(), 0.9, 1500, { triggers: false })
  const withIt = await lived(ofLock(), 0.9, 1500, {})
  assert.ok(withIt.raised < 0.6 * without.raised, `${withIt.raised} ms, and ${without.raised} ms without`)
  assert.ok(withIt.low < 1.3 * without.low + 10, `${withIt.low} ms of the others, and ${without.low} ms without`)
  const { used, written } = withIt.status.locks
  assert.ok(used > 1.5 * (written - used), `${used} of ${written} holds were used`)
})

test('where one raises nothing, all is as it was', async () => {
  for (const [request, every] of [
    [ofSlots, 180],
    [ofLock, 1500]
  ] as const) {
    const without = await lived(request(), 0, every, { triggers: false }, 250_000)
    const withIt = await lived(request(), 0, every, {}, 250_000)
    assert.equal([withIt.low, withIt.status.written, withIt.status.triggers?.foretold], [without.low, without.status.written, 0])
  }
})

test('a workflow that is raised is made ready before it begins, as often as it is raised, and that is scored', async () => {
  const gov = open({ clock: 'virtual', autoEnclose: false, predict: true })
  const random = randomsOf(5)
  const needs = { pool: [gov.pool('slots', { capacity: { slots: 4 } }), { slots: 1 }] } as const
  let time = 0
  const ready: number[] = []
  const raised = gov.workflow('B', { tier: 'interactive', needs, metering: false, onWarm: () => ready.push(time) })
  const first = gov.workflow('A', { needs, metering: false })
  let [next, due] = [0, Number.POSITIVE_INFINITY]
  const begun: number[] = []
  for (; time < 300_000; time += STEP_MS) {
    if (time >= due) {
      begun.push(time)
      await raised.run(() => {})
      due = Number.POSITIVE_INFINITY
    }
    if (time >= next) {
      await first.run(() => {})
      if (random() < 0.9) due = time + LAG_MS
      next = time + 2000 + 6000 * random()
    }
    gov.advance(STEP_MS)
    await turn()
  }
  const late = begun.filter(at => at > 200_000)
  const prepared = late.filter(at => ready.some(when => when < at && when >= at - LAG_MS))
  assert.ok(prepared.length > 0.9 * late.length, `${prepared.length} of ${late.length}`)
  const { called, used, wasted } = raised.readiness() ?? { called: 0, used: 0, wasted: 0 }
  assert.is(called, ready.length)
  assert.ok(used > 5 * wasted, `${used} used, ${wasted} not`)
  const { workflows } = (await gov.agent.status())?.warm ?? {}
  assert.ok((workflows?.precision ?? 0) > 0.8, JSON.stringify(workflows))
  await gov.close()
})

/** A every three to seven seconds, and B 300 ms later. */
async function raising(gov: Governor, until: number): Promise<void> {
  const random = randomsOf(7)
  let [time, next, due] = [0, 1000, Number.POSITIVE_INFINITY]
  for (; time < until; time += STEP_MS) {
    if (time >= next) {
      gov.lock('a').tryAcquire({ tier: 'standard', workflow: 'A' })?.release()
      ;[next, due] = [time + 3000 + 4000 * random(), time + LAG_MS]
    }
    if (time >= due) {
      gov.lock('ledger').tryAcquire({ tier: 'interactive', workflow: 'B' })?.release()
      due = Number.POSITIVE_INFINITY
    }
    if (gov.clock === 'virtual') gov.advance(STEP_MS)
    await turn()
  }
}

test('an agent that begins with what another has learnt knows at once what follows what', async () => {
  const life = async (learnt: Uint8Array | undefined, until: number) => {
    const gov = open({ clock: 'virtual', autoEnclose: false, predict: true })
    if (learnt !== undefined) await gov.foresight.load(learnt)
    await raising(gov, until)
    const { triggers, warm } = (await gov.agent.status()) as AgentStatus
    const saved = await gov.foresight.save()
    await gov.close()
    return { saved, known: triggers?.known, foretold: triggers?.foretold ?? 0, ready: warm?.workflows.used ?? 0 }
  }
  const first = await life(undefined, 300_000)
  assert.is(first.known, 1)
  const [next, anew] = [await life(first.saved, 10_000), await life(undefined, 10_000)]
  assert.equal([next.known, anew.known, anew.foretold, anew.ready], [1, 0, 0, 0])
  assert.ok(next.foretold > 0 && next.ready > 0, `${next.foretold} foretold, ${next.ready} made ready`)
  // Who saves again before he has learnt anything himself hands on what he was given.
  assert.is((await life((await life(next.saved, 100)).saved, 100)).known, 1)
})

test('an agent that is stopped and started again goes on from what it knew', async () => {
  const gov = open({ clock: 'virtual', autoEnclose: false, predict: true })
  await raising(gov, 300_000)
  await gov.agent.stop()
  await gov.agent.start()
  assert.is((await gov.agent.status())?.triggers?.known, 1)
  await gov.close()
})

test.run()
