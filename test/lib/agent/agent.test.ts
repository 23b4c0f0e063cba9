import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { AgentOptions, AgentStatus, Governor } from '../../../lib/index.js'
import { open, unlink } from '../../../lib/index.js'
import { randomsOf } from '../../../lib/randoms.js'
import { isCoded, refusal, rejection, virtual } from '../support.js'

const SLOTS = 20
const STEP_MS = 50
const BURST_EVERY = 200
const BURST = 5

/** Background work, and each ten seconds two full of those who are in a hurry. */
async function day(gov: Governor, steps: number): Promise<{ interactive: number; background: number }> {
  const pool = gov.semaphore('slots', SLOTS)
  const waits = { interactive: 0, background: 0 }
  const running: { until: number; release(): void }[] = []
  let step = 0
  const random = randomsOf(1)
  const ask = (tier: 'interactive' | 'background', ms: number) => {
    const asked = step
    pool.acquire(1, { tier, workflow: tier }).then(grant => {
      waits[tier] += (step - asked) * STEP_MS
      running.push({ until: step + ms / STEP_MS, release: () => grant.release() })
    }, assert.unreachable)
  }
  for (; step < steps; step++) {
    for (const one of running.splice(0)) {
      if (one.until <= step) one.release()
      else running.push(one)
    }
    // Fourteen a second for a second: 14 of the 20 slots on average, and all of them now and then.
    for (let i = 0; i < 2; i++) if (random() < 0.35) ask('background', 1000)
    const phase = step % BURST_EVERY
    if (phase >= 100 && phase < 140) for (let i = 0; i < BURST; i++) if (random() < 0.3) ask('interactive', 200)
    gov.advance(STEP_MS)
    await turn()
  }
  return waits
}

async function lived(predict: boolean | AgentOptions): Promise<{ waits: Awaited<ReturnType<typeof day>>; gov: Governor }> {
  const gov = open({ clock: 'virtual', autoEnclose: false, predict })
  return { waits: await day(gov, 12_000), gov }
}

test('those in a hurry wait less with it than without, and are told of in its status', async () => {
  const without = await lived(false)
  const { waits, gov } = await lived(true)
  assert.ok(waits.interactive < 0.8 * without.waits.interactive, `${waits.interactive} ms, and ${without.waits.interactive} without`)
  const status = await gov.agent.status()
  assert.is(status?.active, true)
  assert.ok((status?.written ?? 0) > 10)
  assert.is(status?.pools.slots?.on, true)
  const hits = gov.plans.scores().reduce((all, { hits }) => all + hits, 0)
  assert.ok(hits > 10, `${hits} hits`)
  await Promise.all([gov.close(), without.gov.close()])
})

/** Jobs that take all that an upstream allows, and each half of a second four calls of those who are in a hurry. */
async function calls(gov: Governor, steps: number): Promise<{ interactive: number; background: number }> {
  const bucket = gov.bucket('upstream', { rate: 20 })
  const waits = { interactive: 0, background: 0 }
  const random = randomsOf(1)
  let step = 0
  const ask = (tier: 'interactive' | 'background') => {
    const asked = step
    // Who comes last is still waiting when all is over.
    bucket.take(1, { tier, workflow: tier }).then(() => {
      waits[tier] += (step - asked) * STEP_MS
    }, refusal('ERR_FORELOCK_CLOSED'))
  }
  for (; step < steps; step++) {
    const isBusy = step % 400 < 200
    if (isBusy && random() < 0.9) ask('background')
    if (step % 10 === 0) for (let i = 0; i < 4; i++) ask('interactive')
    gov.advance(STEP_MS)
    await turn()
  }
  return waits
}

test('those in a hurry find tokens in a bucket that others empty, and what is kept of it is in the status', async () => {
  const livedOf = async (predict: boolean) => {
    const gov = open({ clock: 'virtual', autoEnclose: false, predict })
    return { waits: await calls(gov, 6_000), gov }
  }
  const [without, { waits, gov }] = [await livedOf(false), await livedOf(true)]
  assert.ok(waits.interactive < 0.8 * without.waits.interactive, `${waits.interactive} ms, and ${without.waits.interactive} without`)
  const kept = (await gov.agent.status())?.buckets.upstream
  assert.ok(kept?.on && kept.benefit.mean > 0, JSON.stringify(kept))
  assert.ok((kept?.planned.find(({ tier }) => tier === 'background')?.requests ?? 0) > 1000)
  await Promise.all([gov.close(), without.gov.close()])
})

type Ask = (tier: string, workflow: string, ms: number) => void

/** What became of the requests of a workflow: granted, done, and ms that they waited on average. */
interface Sum {
  count: number
  done: number
  wait: number
}

/** Requests of one slot each, as `each` makes them at every step. */
async function drive(gov: Governor, slots: PoolLike, steps: number, each: (step: number, ask: Ask) => void): Promise<Map<string, Sum>> {
  const sums = new Map<string, Sum>()
  const running: { until: number; end(): void }[] = []
  let step = 0
  const ask: Ask = (tier, workflow, ms) => {
    const asked = step
    const sum = sums.get(workflow) ?? { count: 0, done: 0, wait: 0 }
    sums.set(workflow, sum)
    const granted = (grant: { release(): void }) => {
      sum.count++
      sum.wait += ((step - asked) * STEP_MS - sum.wait) / sum.count
      const end = () => {
        grant.release()
        sum.done++
      }
      running.push({ until: step + ms / STEP_MS, end })
    }
    slots.allocate({ slots: 1 }, { tier, workflow }).then(granted, refusal('ERR_FORELOCK_CLOSED'))
  }
  for (; step < steps; step++) {
    for (const one of running.splice(0)) {
      if (one.until <= step) one.end()
      else running.push(one)
    }
    each(step, ask)
    gov.advance(STEP_MS)
    await turn()
  }
  return sums
}

type PoolLike = ReturnType<Governor['pool']>

/** A minute in three is busy: orders for all that there is, pages now and then, and a workflow of the lowest tier that is in a hurry. */
async function month(
  predict: AgentOptions
): Promise<{ sums: Map<string, Sum>; status: AgentStatus | undefined; told: Set<string>; gov: Governor }> {
  const gov = open({ clock: 'virtual', autoEnclose: false, predict })
  const told = new Set<string>()
  gov.workflow('month-close', { tier: 'background' }).on('plan', ({ kind, who, tier }) => void told.add(`${kind} ${who} ${tier}`))
  const random = randomsOf(3)
  const sums = await drive(gov, gov.pool('p', { capacity: { slots: 8 } }), 4800, (step, ask) => {
    const busy = step % 1200 < 400 ? 1 : 0.4
    for (let i = 0; i < 2; i++) if (random() < busy / 2) ask('standard', 'orders', 400)
    if (random() < 0.1) ask('interactive', 'page', 200)
    if (random() < 0.05) ask('background', 'month-close', 200)
  })
  return { sums, status: await gov.agent.status(), told, gov }
}

test('a workflow for which waiting is dearer than for its tier waits less than without that, and its plans are told of', async () => {
  const without = await month({ control: 0 })
  const dear = await month({ control: 0, workflowCosts: { 'month-close': 16 } })
  const waits = (workflow: string) => [without, dear].map(({ sums }) => sums.get(workflow)?.wait ?? 0) as [number, number]
  const [before, after] = waits('month-close')
  assert.ok(after < 0.3 * before, `${after} ms, and ${before} without`)
  const [orders, slower] = waits('orders')
  assert.ok(slower < 2 * orders, `those whom it passes: ${slower} ms, and ${orders} without`)
  assert.is(without.status?.escalations, undefined)
  assert.ok(dear.told.has('escalation month-close interactive'))
  const { on, begun, planned, benefit } = dear.status?.escalations ?? {}
  assert.ok(on && (begun ?? 0) > 1 && (benefit?.mean ?? 0) > 0)
  assert.ok(Math.abs((planned?.[0]?.wait ?? 0) - after) < 0.1 * after, 'what was measured is what it waited')
  await Promise.all([without.gov.close(), dear.gov.close()])
})

const THIRD = 2000
const SAMPLED = 100

/**
 * Most of a pool is the share of the background, which would have all of it at any time; in the middle third of the day the higher tier asks for three times its
 * own share. What becomes of both then, and what its share is planned to be on average in each third.
 */
async function shifting(predict: boolean | AgentOptions) {
  const gov = open({ clock: 'virtual', autoEnclose: false, predict })
  const tiers = { background: { share: 0.75 }, interactive: { share: 0.1 } }
  const pool = gov.pool('p', { capacity: { slots: 20 }, tiers })
  const random = randomsOf(3)
  const shares: number[] = []
  const sums = await drive(gov, pool, 3 * THIRD, (step, ask) => {
    const third = Math.floor(step / THIRD)
    const { used, waiting } = pool.usage().tiers.background as { used: { slots?: number }; waiting: number }
    for (let there = (used.slots ?? 0) + waiting; there < 24; there++)
      ask('background', `background ${third}`, 400 + 50 * Math.floor(random() * 8))
    const rate = third === 1 ? 0.3 : 0.05
    for (let i = 0; i < 2; i++) if (random() < rate) ask('interactive', `interactive ${third}`, 500)
    if (step % SAMPLED !== SAMPLED - 1) return
    const planned = gov.plans.list().filter(({ kind }) => kind === 'share')
    shares[third] = (shares[third] ?? 0) + (Math.max(0, ...planned.map(({ amount }) => amount)) * SAMPLED) / THIRD
  })
  return { sums, shares, status: await gov.agent.status(), gov }
}

test('the share of a tier grows when its demand does, and is as configured when that has gone', async () => {
  const fixed = await shifting(false)
  const planned = await shifting({ control: 0 })
  const of = (name: string) => [fixed, planned].map(({ sums }) => sums.get(name) as Sum) as [Sum, Sum]
  const [slow, fast] = of('interactive 1')
  assert.ok(fast.wait < 0.1 * slow.wait, `${fast.wait} ms, and ${slow.wait} without`)
  // A quarter of the pool is what all shares together may grow by.
  const [before, after] = of('background 1')
  assert.ok(after.done > 0.75 * before.done, `${after.done} of ${before.done} were done`)
  assert.ok(after.wait < before.wait / 0.75 / 0.75, `${after.wait} ms, and ${before.wait} without`)
  assert.equal(fixed.shares, [0, 0, 0])
  const [early, mid, late] = planned.shares as [number, number, number]
  assert.ok(early < 0.25 && mid > 0.3 && mid <= 0.35 + 1e-9 && late < 0.25, String(planned.shares))
  const { on, benefit } = planned.status?.shares.p ?? {}
  assert.ok(on && (benefit?.mean ?? 0) > 0)
  await Promise.all([fixed.gov.close(), planned.gov.close()])
})

test('each plan that begins was asked about, and none that does not', async () => {
  // Half of the time plans are kept back. Which half is drawn by the time of day: of 80 bursts more than ten are planned for whatever was drawn.
  const gov = open({ clock: 'virtual', autoEnclose: false, predict: { control: 0.5, warm: false } })
  let [begun, inForce] = [0, new Set<string>()]
  await drive(gov, gov.pool('p', { capacity: { slots: SLOTS } }), 16_000, (step, ask) => {
    for (let i = 0; i < 2; i++) if (step % 3 === 0) ask('background', 'report', 1000)
    const phase = step % BURST_EVERY
    if (phase >= 100 && phase < 140) for (let i = 0; i < 2; i++) ask('interactive', 'page', 200)
    const now = new Set(gov.plans.list().flatMap(({ kind, tier, amount }) => (amount > 0 ? [`${kind} ${tier}`] : [])))
    for (const plan of now) if (!inForce.has(plan)) begun++
    inForce = now
  })
  const { checked, unneeded, hopeless } = (await gov.agent.status())?.checks ?? { checked: 0, unneeded: 0, hopeless: 0 }
  assert.ok(begun > 10, String(begun))
  assert.is(checked - unneeded - hopeless, begun, `${checked} were asked about, of which ${unneeded} and ${hopeless} were refused`)
  await gov.close()
})

test('where nobody ever has to wait a shadow request says so, and nothing is kept', async () => {
  const gov = open({ clock: 'virtual', autoEnclose: false, predict: { control: 0 } })
  const random = randomsOf(1)
  await drive(gov, gov.pool('p', { capacity: { slots: 100 } }), 1000, (_, ask) => {
    for (let i = 0; i < 3; i++) if (random() < 0.3) ask('interactive', 'page', 300)
    if (random() < 0.5) ask('background', 'report', 300)
  })
  const status = await gov.agent.status()
  assert.ok((status?.checks.unneeded ?? 0) > 10)
  assert.is(status?.written, 0)
  await gov.close()
})

test('of two agents of an arena one writes, and the other goes on when it stops', async () => {
  const name = `agents-${process.pid}`
  const [one, other] = [open({ name, predict: { thread: false } }), open({ name })]
  while ((await one.agent.status())?.active !== true) await turn()
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
     import(workerData.url).then(async ({ open }) => {
       const gov = open({ name: workerData.name, predict: { thread: false } })
       parentPort.on('message', async () => parentPort.postMessage((await gov.agent.status())?.active))
       while ((await gov.agent.status()) === undefined) await new Promise(setImmediate)
       parentPort.postMessage('ready')
     })`,
    { eval: true, workerData: { name, url: new URL('../../../dist/esm/index.js', import.meta.url).href } }
  )
  await once(worker, 'message')
  const asks = async () => {
    worker.postMessage('?')
    return ((await once(worker, 'message')) as unknown[])[0]
  }
  assert.is(await asks(), false)
  await one.agent.stop()
  while ((await asks()) !== true) await turn()
  assert.is(await one.agent.status(), undefined)
  await worker.terminate()
  await Promise.all([one.close(), other.close()])
})

test('options that make no sense are refused at once', async () => {
  for (const predict of [
    { waitCosts: { nobody: 1 } },
    { control: 2 },
    { idleCost: Number.NaN },
    { seed: -1 },
    { period: 0 },
    { extra: { threshold: 2 } },
    { extra: { share: -1 } },
    { extra: { part: 1 } },
    { extra: 0.5 },
    { workflowCosts: { close: -1 } },
    { workflowCosts: 3 },
    { more: 1 }
  ]) {
    assert.throws(
      () => open({ predict: predict as AgentOptions }),
      (error: unknown) => {
        isCoded(error, 'ERR_FORELOCK_ARGUMENT')
        return true
      },
      JSON.stringify(predict)
    )
  }
  const gov = virtual({ capacity: { telemetry: 0 } })
  isCoded(await rejection(gov.agent.start()), 'ERR_FORELOCK_CAPACITY')
  assert.is(await gov.agent.status(), undefined)
  await gov.close()
})

test('one that runs is started again with the same options or none, and no other', async () => {
  const gov = virtual()
  const onWarm = () => {}
  const options = { control: 0.1, waitCosts: { interactive: 9 }, workflowCosts: { a: 2 }, warm: { most: 3 }, extra: { share: 0.5 }, onWarm }
  await gov.agent.start(options)
  await gov.agent.start()
  await gov.agent.start({})
  await gov.agent.start({ ...options, period: 100, waitCosts: { interactive: 9, background: 1 }, control: undefined })
  const others: readonly [keyof AgentOptions, unknown, unknown][] = [
    ['period', 50, 100],
    ['control', 0, 0.1],
    ['idleCost', 2, 1],
    ['seed', 2, 1],
    ['triggers', false, true],
    ['contention', true, false],
    ['thread', true, false],
    ['waitCosts', { interactive: 8 }, { background: 1, standard: 2, interactive: 9, critical: 32 }],
    ['workflowCosts', { b: 2 }, { a: 2 }],
    ['warm', false, { threshold: undefined, most: 3, within: 500, cold: 1000, costs: undefined }],
    ['extra', { share: 0.25 }, { threshold: undefined, share: 0.5 }],
    ['onWarm', () => {}, onWarm]
  ]
  for (const [option, given, stored] of others) {
    const refused = await rejection(gov.agent.start({ [option]: given }))
    isCoded(refused, 'ERR_FORELOCK_CONFIG')
    assert.is(refused.option, option)
    assert.equal(refused.stored, stored, option)
  }
  const { given, message } = await rejection(gov.agent.start({ control: 0 }))
  assert.is(given, 0)
  assert.match(message, /control = 0\.1, not 0;/)
  assert.is((await gov.agent.status())?.active, true)
  await gov.close()
})

test('one that opened with an arena is refused other options, and takes them when it was stopped', async () => {
  const gov = virtual({ predict: { control: 0.1 } })
  isCoded(await rejection(gov.agent.start({ control: 0.2 })), 'ERR_FORELOCK_CONFIG')
  await gov.agent.stop()
  await gov.agent.start({ control: 0.2 })
  const { stored } = await rejection(gov.agent.start({ control: 0.1 }))
  assert.is(stored, 0.2)
  await gov.close()
})

test('it takes foresight that learns already as it is, or says what is not as it is to be', async () => {
  const gov = virtual()
  gov.foresight.start({ period: 200 })
  for (const [option, given, stored] of [
    ['period', 100, 200],
    ['contention', false, true],
    ['thread', true, false]
  ]) {
    const refused = await rejection(gov.agent.start({ [option as string]: given }))
    isCoded(refused, 'ERR_FORELOCK_CONFIG')
    assert.equal([refused.option, refused.given, refused.stored], [option, given, stored])
  }
  assert.is(await gov.agent.status(), undefined)
  await gov.agent.start({ period: 400 })
  isCoded(await rejection(gov.agent.start({ period: 200 })), 'ERR_FORELOCK_CONFIG')
  await gov.foresight.stop()
  assert.is(await gov.agent.status(), undefined)
  // All of it was over.
  await gov.agent.start({ period: 50, contention: true })
  assert.ok(await gov.agent.status())
  await gov.close()
})

test('when it stops nothing is written any more, and what was ends', async () => {
  const { gov } = await lived({ control: 0 })
  await gov.agent.stop()
  gov.advance(1000)
  assert.equal(gov.plans.list(), [])
  const before = gov.plans.scores()
  gov.advance(1000)
  assert.equal(gov.plans.scores(), before)
  await gov.close()
})

test('it keeps no close that drains waiting, and fails at nothing meanwhile', async () => {
  const gov = open({ name: `agent-drain-${process.pid}` })
  await gov.agent.start({ thread: false, period: 1 })
  const pool = gov.pool('p', { capacity: { slots: 2 } })
  const held = pool.tryAllocate({ slots: 1 }, { tier: 'interactive' })
  const closing = gov.close({ drain: 60_000 })
  await new Promise(resolve => setImmediate(resolve))
  held?.release()
  await closing
  assert.is(gov.foresight.error, undefined)
  unlink(`agent-drain-${process.pid}`)
})

test.run()
