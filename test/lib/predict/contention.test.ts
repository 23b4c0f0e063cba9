import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Arrivals } from '../../../lib/predict/arrivals.js'
import { Contention } from '../../../lib/predict/contention.js'
import type { ContentionEvent, ContentionProfile } from '../../../lib/predict/contention-events.js'
import { isCoded, thrown } from '../support.js'
import { seeded } from './series.js'

/** Each second a report holds the stock for 200 ms, and a checkout asks for it at a random moment of the second; nobody else asks for the rest. */
function* shop(seconds: number, seed = 3): Generator<ContentionEvent> {
  const random = seeded(seed)
  for (let second = 0; second < seconds; second++) {
    const time = 1_000 * second
    const report = { element: 'stock', workflow: 'report', tier: 0, id: 3 * second }
    const checkout = { element: 'stock', workflow: 'checkout', tier: 2, id: 3 * second + 1 }
    const asked = time + 1 + 900 * random()
    const free = time + 200
    yield { ...report, event: 'grant', time, waited: 0 }
    if (asked < free) {
      yield { ...checkout, event: 'request', time: asked }
      yield { ...report, event: 'end', time: free, held: 200 }
      yield { ...checkout, event: 'grant', time: free, waited: free - asked }
      yield { ...checkout, event: 'end', time: free + 20, held: 20 }
    } else {
      yield { ...report, event: 'end', time: free, held: 200 }
      yield { ...checkout, event: 'grant', time: asked, waited: 0 }
      yield { ...checkout, event: 'end', time: asked + 20, held: 20 }
    }
    const item = { element: `item ${second % 50}`, workflow: 'browse', id: 3 * second + 2, mode: 'shared' } as const
    yield { ...item, event: 'grant', time: time + 950 }
    yield { ...item, event: 'end', time: time + 955 }
  }
}

const SECONDS = 1_200
const NOW = 1_000 * SECONDS

function taught(options = {}): Contention {
  const contention = new Contention(options)
  contention.record(shop(SECONDS))
  return contention
}

/** Where nobody holds anything, and where the report has begun. */
function reporting(): Contention {
  const contention = taught()
  contention.record([{ event: 'grant', element: 'stock', workflow: 'report', tier: 0, time: NOW, id: -1 }])
  return contention
}

const checkout = (more: Partial<ContentionProfile> = {}): ContentionProfile => ({
  needs: [{ element: 'stock' }],
  workflow: 'checkout',
  tier: 2,
  ...more
})

test('what is held will be waited for, and what is free will not', () => {
  const [held, free] = [reporting(), taught()].map(contention => contention.probability(checkout({ now: NOW + 10 })))
  assert.ok((held?.probability as number) > 0.95 && (free?.probability as number) < 0.05, `${held?.probability} ${free?.probability}`)
})

test('it will be over by the time that such holds take', () => {
  const contention = reporting()
  const [soon, late] = [100, 400].map(ms => contention.probability(checkout({ now: NOW + 10, at: NOW + ms })).probability)
  assert.ok((soon as number) > 0.8 && (late as number) < 0.35, `${soon} ${late}`)
})

test('of what is far ahead it says how often such requests waited', () => {
  const said = taught().probability(checkout({ now: NOW - 1, at: NOW + 30_450 })).probability
  assert.ok(said > 0.1 && said < 0.4, String(said))
})

test('tells for how long, and for whom', () => {
  const { wait, with: colliders } = reporting().probability(checkout({ now: NOW + 50 }))
  assert.ok(Math.abs(wait - 150) < 30, String(wait))
  const [first] = colliders
  assert.equal([first?.workflow, first?.element, first?.state], ['report', 'stock', 'holds'])
  assert.ok((first?.probability as number) > 0.9)
  const [before] = taught().probability(checkout()).with
  assert.equal([before?.workflow, before?.state], ['report', 'before'])
})

test('those it names make up the probability', () => {
  for (const contention of [taught(), reporting()]) {
    const { probability, with: colliders } = contention.probability(checkout({ needs: [{ element: 'stock' }, { element: 'item 7' }] }))
    const sum = colliders.reduce((all, one) => all + one.probability, 0)
    assert.ok(sum <= probability + 1e-9, `${sum} of ${probability}`)
  }
})

test('several needs are likelier to wait than one', () => {
  const contention = taught()
  const of = (...elements: string[]) =>
    contention.probability(checkout({ needs: elements.map(element => ({ element })), now: NOW + 10, at: NOW + 100 }))
  const [one, two] = [of('stock'), of('stock', 'item 7')]
  assert.ok(two.probability >= one.probability && two.probability < 1)
})

test('readers do not wait for readers', () => {
  const contention = taught()
  const item = { element: 'item 7', workflow: 'browse', mode: 'shared' } as const
  contention.record([{ ...item, event: 'grant', time: NOW }])
  const of = (mode: 'shared' | 'exclusive') =>
    contention.probability({ needs: [{ element: 'item 7', mode }], workflow: 'browse', now: NOW + 1 }).probability
  assert.ok(of('shared') < 0.05 && of('exclusive') > 0.5, `${of('shared')} ${of('exclusive')}`)
})

test('says before it has learnt anything that what is held will be waited for', () => {
  const contention = new Contention()
  const of = (element: string) => contention.probability({ needs: [{ element }], now: 5 }).probability
  contention.record([{ event: 'grant', element: 'one', time: 0 }])
  assert.ok(of('one') > 0.8 && of('other') < 0.2, `${of('one')} ${of('other')}`)
})

test('of an element that it does not know it says what came of others', () => {
  const { probability, wait, with: colliders } = taught().probability({ needs: [{ element: 'never seen' }], workflow: 'browse' })
  assert.ok(probability < 0.05 && wait >= 0)
  assert.equal(colliders, [])
})

test('a pattern is one of those that it fits', () => {
  const contention = reporting()
  const of = (pattern: string) => contention.probability({ needs: [{ pattern }], workflow: 'checkout', tier: 2, now: NOW + 1 })
  assert.ok(of('sto*').probability > 0.9)
  assert.ok(of('item *').probability < 0.1)
  const [all] = of('*').with
  assert.is(all?.element, 'stock')
  assert.ok(of('*').probability > of('item *').probability && of('*').probability < of('sto*').probability)
  assert.ok(of('nothing*').probability < 0.5)
})

test('who holds it for longer makes others wait more likely', () => {
  const contention = taught()
  const of = (duration: number) => contention.probability(checkout({ duration })).blocks
  assert.is(of(0), 0)
  assert.ok(of(5_000) > of(50) && of(50) > 0 && of(1e300) <= 1)
})

test('takes what is to come from a predictor of arrivals', () => {
  const arrivals = new Arrivals()
  const numbers = new Map<string, bigint>([['stock', 1n]])
  for (let second = 0; second <= SECONDS; second++) arrivals.record([{ key: 1n, time: 1_000 * second }])
  const contention = taught({
    arrivals: (element: string, now: number) => arrivals.score(BigUint64Array.of(numbers.get(element) ?? 0n), now)[0],
    arrivalsWithin: 500
  })
  const of = (now: number) => contention.probability(checkout({ now, duration: 100 })).blocks
  const [early, due] = [of(NOW + 60), of(NOW + 800)]
  assert.ok(due > 2 * early, `${early} ${due}`)
  assert.is(Number.isFinite(new Contention({ arrivals: () => Number.NaN }).probability({ needs: [{ element: 'one' }] }).blocks), true)
})

test('knows a wait from its grant alone', () => {
  const contention = new Contention()
  for (let i = 0; i < 500; i++) {
    const time = 1_000 * i
    contention.record([
      { event: 'grant', element: 'one', workflow: 'long', time },
      { event: 'end', element: 'one', workflow: 'long', time: time + 500, held: 500 },
      { event: 'grant', element: 'one', workflow: 'late', time: time + 500, waited: 100 },
      { event: 'end', element: 'one', workflow: 'late', time: time + 510, held: 10 }
    ])
  }
  const [pair, ...others] = contention.map().pairs
  assert.equal([pair?.workflow, pair?.blocker, others.length], ['late', 'long', 0])
  contention.record([{ event: 'grant', element: 'one', workflow: 'long', time: 500_000 }])
  const { probability, wait } = contention.probability({ needs: [{ element: 'one' }], workflow: 'late', now: 500_100 })
  assert.ok(probability > 0.95 && Math.abs(wait - 400) < 80, `${probability} ${wait}`)
})

test('a refusal is a collision, and who gives up has waited', () => {
  const contention = new Contention({ costs: [2] })
  contention.record([
    { event: 'grant', element: 'one', workflow: 'holder', time: 0 },
    { event: 'refusal', element: 'one', workflow: 'impatient', time: 10 },
    { event: 'request', element: 'one', workflow: 'patient', time: 100 },
    { event: 'abort', element: 'one', workflow: 'patient', time: 1_100, waited: 1_000 }
  ])
  const { pairs, collisions } = contention.map()
  assert.equal(
    pairs.map(({ workflow, blocker, waited, cost }) => [workflow, blocker, waited, cost]),
    [
      ['patient', 'holder', 1_000, 2],
      ['impatient', 'holder', 0, 0]
    ]
  )
  assert.ok(Math.abs(collisions - 2) < 0.01)
  assert.ok(contention.probability({ needs: [{ element: 'one' }], now: 1_200 }).probability > 0.5)
})

test('says who collides with whom, and what it costs by tier', () => {
  const contention = taught()
  const { time, pairs, waited, cost, halfLife } = contention.map()
  assert.equal(
    pairs.map(pair => [pair.workflow, pair.blocker, pair.element]),
    [['checkout', 'report', 'stock']]
  )
  const [pair] = pairs
  assert.ok(Math.abs((8 * (pair?.waited as number)) / 1_000 / (pair?.cost as number) - 1) < 1e-9)
  assert.equal([pair?.waited, pair?.cost, halfLife], [waited, cost, 3_600_000])
  assert.ok(time > NOW - 100 && (pair?.last as number) <= time)
  assert.equal(contention.map(0).pairs, [])
})

test('who waited for whom may be told', () => {
  const contention = new Contention()
  contention.record([
    { event: 'request', element: 'pool', workflow: 'late', time: 0, id: 1 },
    { event: 'grant', element: 'pool', workflow: 'late', time: 100, waited: 100, id: 1, blockers: ['one', 'other'] },
    { event: 'grant', element: 'else', workflow: 'late', time: 300, waited: 10, id: 2 }
  ])
  assert.equal(
    contention.map().pairs.map(({ blocker, waited }) => [blocker, Math.round(waited)]),
    [
      ['one', 50],
      ['other', 50],
      ['', 10]
    ]
  )
})

test('tells when those who hold it will have let go', () => {
  const contention = reporting()
  const held = contention.heldUntil('stock', NOW + 50)
  assert.equal(held?.holders, [{ workflow: 'report', tier: 0, mode: 'exclusive', since: NOW }])
  assert.is(held?.probability(NOW + 50), 1)
  assert.ok((held?.probability(NOW + 150) as number) > 0.8 && (held?.probability(NOW + 260) as number) < 0.2)
  assert.ok(Math.abs((held?.quantile(0.5) as number) - (NOW + 200)) < 20, String(held?.quantile(0.5)))
  assert.ok(Math.abs((held?.mean as number) - (NOW + 200)) < 30, String(held?.mean))
  assert.is(contention.heldUntil('item 7'), undefined)
  assert.is(contention.heldUntil('never seen'), undefined)
})

test('what is granted to another is no longer held, though its end was not told', () => {
  const contention = reporting()
  contention.record([
    { event: 'grant', element: 'stock', workflow: 'checkout', tier: 2, time: NOW + 30, id: -2 },
    { event: 'end', element: 'stock', workflow: 'checkout', tier: 2, time: NOW + 50, id: -2 }
  ])
  assert.is(contention.heldUntil('stock'), undefined)
})

test('an event that is told twice counts once', () => {
  const [once, twice] = [new Contention(), new Contention()]
  const events: ContentionEvent[] = [
    { event: 'grant', element: 'one', time: 0, id: 1 },
    { event: 'request', element: 'one', time: 10, id: 2, workflow: 'late' }
  ]
  once.record(events)
  for (const event of events) twice.record([event, event])
  assert.equal(twice.save(), once.save())
})

test('keeps no more elements and pairs than it may, and of them those asked for most', () => {
  const contention = new Contention({ elements: 100, pairs: 20, workflows: 10 })
  for (let i = 0; i < 5_000; i++) {
    const element = i % 2 === 0 ? 'busy' : `rare ${i}`
    contention.record([
      { event: 'grant', element, workflow: `workflow ${i % 30}`, tenant: `tenant ${i % 30}`, time: 10 * i, waited: 5 },
      { event: 'end', element, workflow: `workflow ${i % 30}`, time: 10 * i + 9 }
    ])
  }
  assert.is(contention.tracked, 100)
  assert.is(contention.map(1_000).pairs.length, 20)
  assert.ok(contention.probability({ needs: [{ pattern: 'busy*' }], now: 49_999 }).probability > 0.5)
})

test('what one has learnt another goes on with, on another clock', () => {
  const contention = taught()
  const heir = new Contention()
  heir.load(contention.save())
  const [pair] = heir.map().pairs
  assert.is(pair?.blocker, 'report')
  heir.record([{ event: 'grant', element: 'stock', workflow: 'report', time: 50 }])
  const { probability, wait } = heir.probability(checkout({ now: 100 }))
  assert.ok(probability > 0.95 && Math.abs(wait - 150) < 40, `${probability} ${wait}`)
  assert.ok((heir.heldUntil('stock')?.quantile(0.9) as number) < 300)
  assert.ok(Math.abs((heir.map().pairs[0]?.collisions as number) / (contention.map().pairs[0]?.collisions as number) - 1) < 0.01)
})

test('what is damaged is not loaded, and changes nothing', () => {
  const contention = taught()
  const before = contention.save()
  const broken = [0, 25, before.length >> 1, before.length - 1].map(at => {
    const bytes = Uint8Array.from(before)
    bytes[at] = (bytes[at] as number) ^ 1
    return bytes
  })
  for (const bytes of [...broken, new Uint8Array(0), before.subarray(0, 40), 'text' as unknown as Uint8Array]) {
    isCoded(
      thrown(() => contention.load(bytes)),
      'ERR_FORELOCK_CORRUPT'
    )
  }
  assert.equal(contention.save(), before)
})

test('refuses what is no event, and keeps what came before it', () => {
  const event = { event: 'grant', element: 'bad', time: 1 }
  const wrong: unknown[] = [
    undefined,
    null,
    'grant',
    {},
    { ...event, event: 'granted' },
    { ...event, element: 5 },
    { ...event, time: Number.NaN },
    { ...event, time: Number.POSITIVE_INFINITY },
    { ...event, time: '1' },
    { ...event, mode: 'both' },
    { ...event, workflow: 1 },
    { ...event, tenant: 1 },
    { ...event, tier: -1 },
    { ...event, tier: 16 },
    { ...event, waited: -1 },
    { ...event, waited: Number.NaN },
    { ...event, held: '5' },
    { ...event, id: Number.NaN },
    { ...event, id: 'a' },
    { ...event, blockers: 'a' },
    { ...event, blockers: [1] }
  ]
  const contention = new Contention()
  for (const one of wrong) {
    isCoded(
      thrown(() => contention.record([{ event: 'grant', element: 'good', time: 1 }, one as ContentionEvent])),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  assert.is(contention.tracked, 1)
})

test('refuses options, profiles and questions that are none', () => {
  const contention = new Contention()
  const needs = [{ element: 'one' }]
  const calls = [
    () => new Contention({ elements: 0 }),
    () => new Contention(null as never),
    () => new Contention({ element: 3 } as never),
    () => contention.record({} as never),
    () => new Contention({ workflows: 1.5 }),
    () => new Contention({ pairs: -1 }),
    () => new Contention({ halfLife: 0 }),
    () => new Contention({ halfLife: Number.NaN }),
    () => new Contention({ costs: [] }),
    () => new Contention({ costs: [Number.NaN] }),
    () => new Contention({ costs: [-1] }),
    () => new Contention({ arrivals: 5 as never }),
    () => new Contention({ arrivalsWithin: 0 }),
    () => new Contention({ seed: -1 }),
    () => contention.probability(undefined as never),
    () => contention.probability({ needs: [] }),
    () => contention.probability({ needs: 'one' as never }),
    () => contention.probability({ needs: [null as never] }),
    () => contention.probability({ needs: [{}] }),
    () => contention.probability({ needs: [{ element: 'one', pattern: 'o*' }] }),
    () => contention.probability({ needs: [{ pattern: 'one' }] }),
    () => contention.probability({ needs: [{ element: 'one', mode: 'x' as never }] }),
    () => contention.probability({ needs, tier: 99 }),
    () => contention.probability({ needs, workflow: 1 as never }),
    () => contention.probability({ needs, tenant: 1 as never }),
    () => contention.probability({ needs, now: Number.NaN }),
    () => contention.probability({ needs, at: Number.POSITIVE_INFINITY }),
    () => contention.probability({ needs, duration: -1 }),
    () => contention.heldUntil(5 as never),
    () => contention.heldUntil('one', Number.NaN),
    () => contention.map(-1)
  ]
  for (const call of calls) isCoded(thrown(call), 'ERR_FORELOCK_ARGUMENT')
})

test('whatever is told in whatever order, answers are numbers', () => {
  const kinds = ['request', 'grant', 'refusal', 'abort', 'end', 'reclaim'] as const
  for (let seed = 1; seed <= 15; seed++) {
    const random = seeded(seed)
    const one = <T>(...of: T[]): T => of[Math.floor(of.length * random())] as T
    const contention = new Contention({ elements: one(1, 3, 100), workflows: one(1, 5), pairs: one(1, 10), costs: one([1], [0, 1e12]) })
    let time = one(0, -1e300, 1e300, 5)
    for (let i = 0; i < 300; i++) {
      time = one(time, time + 10 * random(), time - 1_000, time + 1e9 * random(), random() < 0.01 ? 1e300 : time)
      const event: ContentionEvent = {
        event: one(...kinds),
        element: one('a', 'b', '', `c ${i}`),
        time,
        mode: one('shared', 'exclusive', undefined),
        workflow: one('x', 'y', undefined, `z ${i % 9}`),
        tenant: one('t', undefined),
        tier: one(0, 3, 15),
        waited: one(0, random(), 1e300, undefined),
        held: one(undefined, 0, 5, 1e300, Number.POSITIVE_INFINITY),
        id: one(undefined, i % 7),
        blockers: one(undefined, [], ['x', 'x', 'w'])
      }
      contention.record([event])
      if (i % 10 !== 0) continue
      const said = contention.probability({
        needs: [{ element: one('a', 'unknown'), mode: one('shared', 'exclusive') }, { pattern: one('*', 'b*') }],
        workflow: one('x', 'unknown'),
        tenant: one('t', 'u', undefined),
        tier: one(0, 15),
        now: one(undefined, time, 1e300),
        at: one(undefined, time + 100, 1e300),
        duration: one(undefined, 0, 1e300)
      })
      for (const chance of [said.probability, said.blocks, ...said.with.map(collider => collider.probability)]) {
        assert.ok(chance >= 0 && chance <= 1, `seed ${seed}: ${JSON.stringify(said)}`)
      }
      assert.ok(said.wait >= 0 && Number.isFinite(said.wait), `seed ${seed}: ${said.wait}`)
      const held = contention.heldUntil(one('a', 'b'))
      const ends =
        held === undefined ? [] : [held.mean, held.quantile(0.5), held.quantile(0.999), held.probability(1e300), held.probability(time)]
      assert.ok(ends.every(Number.isFinite), `seed ${seed}: ${ends}`)
      const { pairs, ...sums } = contention.map()
      assert.ok(Object.values(sums).every(Number.isFinite))
      for (const pair of pairs) assert.ok([pair.collisions, pair.waited, pair.cost, pair.last].every(Number.isFinite))
    }
    const heir = new Contention()
    heir.load(contention.save())
    assert.ok(Number.isFinite(heir.probability({ needs: [{ element: 'a' }] }).probability))
  }
})

test.run()
