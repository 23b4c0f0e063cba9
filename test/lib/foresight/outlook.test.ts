import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Outlook } from '../../../lib/foresight/outlook.js'
import type { SavedSequels } from '../../../lib/plan/saved-sequels.js'
import { Sequels } from '../../../lib/plan/sequels.js'
import { sealValue, unsealValue } from '../../../lib/predict/saved.js'
import { isCoded, thrown } from '../support.js'
import { activity, TIERS } from './support.js'

test('what happened counts once, whatever the order in which environments are read', async () => {
  const outlook = new Outlook(TIERS, 0)
  outlook.happened([
    activity({ time: 900, waited: 400, environment: 2 }),
    activity({ time: 500, event: 'request', environment: 2 }),
    activity({ time: 950, event: 'end', environment: 2 })
  ])
  const { point, samples } = await outlook.demand({ tier: 'standard' }, { horizon: 100 }, 1_000)
  assert.is(samples, 10)
  assert.is(point.length, 1)
})

test('whoever follows is told of requests in the order of their times, in which environments are not read', () => {
  const outlook = new Outlook(TIERS, 0)
  const told: number[][] = []
  outlook.follower = {
    happened: asked => void told.push(asked.map(({ time }) => time)),
    usage() {},
    forget() {},
    save: () => undefined,
    load() {}
  }
  outlook.happened([activity({ time: 1_000 }), activity({ time: 1_000 }), activity({ time: 2_000 })])
  outlook.happened([activity({ time: 3_000 }), activity({ time: 5_000 }), activity({ time: 4_000 }), activity({ time: 4_500 })])
  assert.equal(told, [
    [1_000, 1_000, 2_000],
    [3_000, 4_000, 4_500, 5_000]
  ])
})

test('of runs that raise others the list says so', () => {
  const outlook = new Outlook(TIERS, 0)
  const run = (workflow: string, start: number) =>
    outlook.ended({ id: `${workflow} ${start}`, workflow, start, actions: [] } as unknown as Parameters<Outlook['ended']>[0])
  for (let i = 0; i < 60; i++) {
    run('import', 600_000 * i)
    run('report', 600_000 * i + 2_000)
  }
  const [trigger] = outlook.triggers(undefined, 60 * 600_000)
  assert.equal([trigger?.from, trigger?.to], ['import', 'report'])
})

test('who holds a lock, and for how long such holds last, tells whether a request will wait', () => {
  const outlook = new Outlook(TIERS, 0)
  for (let i = 0; i < 300; i++) {
    const time = 10_000 * i
    const lock = { kind: 'lock', name: 'invoice' } as const
    outlook.happened([
      activity({ ...lock, time, workflow: 'batch' }),
      activity({ ...lock, time: time + 500, event: 'request', workflow: 'web', tier: 2, environment: 3 }),
      activity({ ...lock, time: time + 2_000, event: 'end', workflow: 'batch', held: 2_000 }),
      activity({ ...lock, time: time + 2_000, waited: 1_500, workflow: 'web', tier: 2, environment: 3 }),
      activity({ ...lock, time: time + 2_010, event: 'end', workflow: 'web', tier: 2, held: 10, environment: 3 })
    ])
  }
  outlook.happened([activity({ kind: 'lock', name: 'invoice', time: 3_000_000, workflow: 'batch' })])
  const needs = [{ lock: 'invoice' }]
  const soon = outlook.contention({ needs, workflow: 'web', tier: 'interactive' }, 3_000_100)
  assert.ok(soon.probability > 0.8, String(soon.probability))
  assert.is(soon.with[0]?.workflow, 'batch')
  const [pair] = outlook.map().pairs
  assert.equal([pair?.workflow, pair?.blocker, pair?.element], ['web', 'batch', 'invoice'])
  for (const bad of [undefined, {}, { needs: [{}] }, { needs, tier: 'x' }, { needs, in: -1 }, { needs: [{ lock: 'a', mode: 'x' }] }])
    isCoded(
      thrown(() => outlook.contention(bad as never, 0)),
      'ERR_FORELOCK_ARGUMENT'
    )
})

test('what was learnt can be carried over, and damage is refused', () => {
  const outlook = new Outlook(TIERS, 0)
  const saved = outlook.save()
  new Outlook(TIERS, 0).load(saved)
  for (const at of [0, 25, saved.length - 1]) {
    const damaged = saved.slice()
    damaged[at] = (damaged[at] as number) ^ 1
    isCoded(
      thrown(() => outlook.load(damaged)),
      'ERR_FORELOCK_CORRUPT'
    )
  }
  isCoded(
    thrown(() => outlook.load(undefined as never)),
    'ERR_FORELOCK_CORRUPT'
  )
})

/** Whoever follows, and knows what follows what. */
function following(sequels = new Sequels()) {
  const nothing = () => {}
  return {
    happened: nothing,
    usage: nothing,
    forget: nothing,
    save: () => sequels.save(),
    load: (saved: SavedSequels) => sequels.load(saved),
    sequels
  }
}

test('what who follows has learnt is carried over to the next one, whether that begins before or after it is loaded', () => {
  const first = following()
  for (let time = 0; time < 400_000; time += 3000 + (time % 7) * 500) {
    first.sequels.advance(time)
    first.sequels.came('A', time, 'lock', 'a', 1, 1)
    first.sequels.came('B', time + 300, 'lock', 'b', 2, 1)
  }
  const outlook = new Outlook(TIERS, 0)
  outlook.follower = first
  const saved = outlook.save()
  const known = first.sequels.status().known
  assert.ok(known > 0)
  for (const isBefore of [true, false]) {
    const [next, other] = [following(), new Outlook(TIERS, 0)]
    if (isBefore) other.follower = next
    other.load(saved)
    if (!isBefore) other.follower = next
    assert.is(next.sequels.status().known, known)
  }
  // Where nobody follows it is handed on as it is; and when one goes, the next goes on.
  const between = new Outlook(TIERS, 0)
  between.load(saved)
  const last = following()
  between.load(between.save())
  between.follower = following()
  between.follower = undefined
  between.follower = last
  assert.is(last.sequels.status().known, known)
  isCoded(
    thrown(() => new Outlook(TIERS.slice(0, 1), 0).load(saved)),
    'ERR_FORELOCK_CORRUPT'
  )
})

test('what is whole and of another shape is refused, and nothing of it is taken', () => {
  const magic = 'forelock foresight 1\n'
  const outlook = new Outlook(TIERS, 0)
  const before = outlook.save()
  const taught = new Outlook(TIERS, 0)
  const run = { id: 'a', workflow: 'w', start: 0, duration: 50, outcome: 'success', actions: [] }
  taught.ended(run as unknown as Parameters<Outlook['ended']>[0])
  assert.ok(taught.usage({ workflow: 'w' }).duration)
  const saved = unsealValue(magic, taught.save()) as Record<string, unknown>
  const parts = [
    { usage: 5 },
    { contention: 'x' },
    { accuracy: null },
    { scores: undefined },
    { scores: 5 },
    { scores: [5] },
    { scores: [[-1, '']] },
    { sequels: 5 },
    { sequels: 'x' }
  ]
  for (const other of [null, 5, [], {}, ...parts.map(part => ({ ...saved, ...part }))]) {
    isCoded(
      thrown(() => outlook.load(sealValue(magic, other))),
      'ERR_FORELOCK_CORRUPT'
    )
    assert.equal(outlook.save(), before)
  }
})

test('what a tier has of a pool is told of that tier, also where tiers have numbers for names', async () => {
  const outlook = new Outlook(['2', '1'], 0)
  const tiers = { '2': { used: { slots: 3 }, waiting: 0 }, '1': { used: { slots: 0 }, waiting: 0 } }
  for (let time = 0; time < 5_000; time += 100) outlook.used(time, 'jobs', { capacity: { slots: 4 }, used: { slots: 3 }, tiers })
  const used = async (tier?: string) =>
    (await outlook.demand({ pool: 'jobs', dimension: 'slots', ...(tier && { tier }) }, { horizon: 100 }, 5_000)).point[0]
  assert.equal([await used(), await used('2'), await used('1')], [3, 3, 0])
})

test.run()
