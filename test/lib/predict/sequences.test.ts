import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Sequences, type Step } from '../../../lib/predict/sequences.js'
import { isCoded, thrown } from '../support.js'
import { seeded } from './series.js'

/** Runs of these steps, 10 ms apart, one after another. */
function* runs(count: number, steps: (run: number) => readonly string[], name = 'run'): Generator<Step> {
  for (let run = 0; run < count; run++) {
    for (const [i, item] of steps(run).entries()) yield { run: `${name} ${run}`, item, time: 1_000 * run + 10 * i }
  }
}

const first = (sequences: Sequences, context: readonly string[], whole?: boolean) => sequences.next(context, 1, whole)[0]

test('tells what comes next by more steps than the last one', () => {
  const sequences = new Sequences()
  sequences.record(runs(100, run => (run % 2 === 0 ? ['a', 'x', 'y', 'end a'] : ['b', 'x', 'y', 'end b'])))
  assert.is(first(sequences, ['a', 'x', 'y'])?.item, 'end a')
  assert.is(first(sequences, ['b', 'x', 'y'])?.item, 'end b')
  assert.ok((first(sequences, ['a', 'x', 'y'])?.probability as number) > 0.95)
  const [one, other] = sequences.next(['never seen', 'x', 'y'], 2, false)
  assert.ok(Math.abs((one?.probability as number) - (other?.probability as number)) < 0.05)
})

test('probabilities are frequencies', () => {
  const random = seeded(2)
  const sequences = new Sequences()
  sequences.record(runs(5_000, () => ['a', random() < 0.7 ? 'b' : random() < 0.5 ? 'c' : 'd']))
  const next = new Map(sequences.next(['a'], 3).map(({ item, probability }) => [item, probability]))
  assert.ok(Math.abs((next.get('b') as number) - 0.7) < 0.03)
  assert.ok(Math.abs((next.get('c') as number) - 0.15) < 0.03)
  assert.ok([...next.values()].reduce((sum, each) => sum + each) <= 1 + 1e-9)
})

test('says how long after the step before it, and nothing where it never was', () => {
  const sequences = new Sequences()
  sequences.record(runs(200, () => ['a', 'b']))
  const [next] = sequences.next(['a'], 1)
  assert.ok(
    next?.lag !== undefined && next.lag.low > 8 && next.lag.median <= next.lag.high && next.lag.high < 13,
    JSON.stringify(next?.lag)
  )
  assert.is(sequences.next(['b', 'b'], 1, false)[0]?.lag, undefined)
})

test('keeps apart runs that are under way at once, and forgets those that are over', () => {
  const sequences = new Sequences()
  const steps = ['a', 'b', 'c', 'd']
  sequences.record(runs(50, () => steps))
  sequences.record([
    { run: 'one', item: 'a', time: 60_000 },
    { run: 'two', item: 'a', time: 60_001 },
    { run: 'one', item: 'b', time: 60_002 }
  ])
  assert.is(sequences.nextOf('one', 1)[0]?.item, 'c')
  assert.is(sequences.nextOf('two', 1)[0]?.item, 'b')
  sequences.end('one')
  assert.is(sequences.nextOf('one', 1)[0]?.item, 'a')
})

test('follows what has changed', () => {
  const sequences = new Sequences()
  sequences.record(runs(3_000, () => ['a', 'old']))
  sequences.record(runs(1_500, () => ['a', 'new'], 'later run'))
  assert.is(first(sequences, ['a'])?.item, 'new')
})

test('of nothing it says nothing', () => {
  const sequences = new Sequences()
  assert.equal(sequences.next([], 5), [])
  assert.equal(sequences.nextOf('none', 5), [])
  sequences.record([{ run: 'one', item: 'a', time: 0 }])
  assert.equal(sequences.next(['a'], 0), [])
})

test('keeps no more contexts, items and runs than it may, and what is common among them', () => {
  const random = seeded(4)
  const sequences = new Sequences({ contexts: 200, items: 20, runs: 3, order: 3 })
  const rare = () => `rare ${Math.floor(10_000 * random())}`
  sequences.record(runs(3_000, () => ['a', 'b', 'c', rare(), rare()]))
  assert.ok(sequences.size <= 200)
  assert.is(first(sequences, ['a'])?.item, 'b')
  assert.is(first(sequences, ['a', 'b'])?.item, 'c')
  assert.ok(sequences.save().length < 100_000)
})

test('what one has learnt another goes on with', () => {
  const sequences = new Sequences({ order: 3 })
  sequences.record(runs(300, run => ['a', `b${run % 3}`, `c${run % 3}`, 'd']))
  const heir = new Sequences({ order: 3 })
  heir.load(sequences.save())
  for (const context of [[], ['a'], ['a', 'b1'], ['b2', 'c2'], ['nothing']]) assert.equal(heir.next(context, 4), sequences.next(context, 4))
  assert.equal(heir.save(), sequences.save())
  heir.record(runs(1, () => ['a', 'new']))
  assert.is(heir.next(['new'], 1).length, 1)
})

test('what is damaged, or of another order, is not loaded, and changes nothing', () => {
  const sequences = new Sequences()
  sequences.record(runs(20, () => ['a', 'b']))
  const before = sequences.save()
  const damaged = [0, 25, before.length >> 1, before.length - 1].map(at => {
    const broken = Uint8Array.from(before)
    broken[at] = (broken[at] as number) ^ 1
    return broken
  })
  for (const broken of [...damaged, new Uint8Array(0), before.subarray(0, 40), new Sequences({ order: 2 }).save()]) {
    isCoded(
      thrown(() => sequences.load(broken)),
      'ERR_FORELOCK_CORRUPT'
    )
  }
  isCoded(
    thrown(() => sequences.load('text' as unknown as Uint8Array)),
    'ERR_FORELOCK_CORRUPT'
  )
  assert.equal(sequences.save(), before)
})

test('refuses options, steps and contexts that are none, and keeps what came before them', () => {
  const sequences = new Sequences()
  const calls = [
    () => new Sequences({ order: 0 }),
    () => new Sequences(null as never),
    () => new Sequences({ orders: 3 } as never),
    () => sequences.record(5 as never),
    () => sequences.record([undefined as never]),
    () => new Sequences({ contexts: 0.5 }),
    () => new Sequences({ items: -1 }),
    () => new Sequences({ runs: Number.NaN }),
    () => sequences.record([{ run: 1 as unknown as string, item: 'b', time: 0 }]),
    () => sequences.record([{ run: 'r', item: null as unknown as string, time: 0 }]),
    () =>
      sequences.record([
        { run: 'r', item: 'a', time: 0 },
        { run: 'r', item: 'b', time: Number.NaN }
      ]),
    () => sequences.next('a' as unknown as string[], 1),
    () => sequences.next([1 as unknown as string], 1),
    () => sequences.next([], -1),
    () => sequences.nextOf(1 as unknown as string, 1),
    () => sequences.end(1 as unknown as string)
  ]
  for (const call of calls) isCoded(thrown(call), 'ERR_FORELOCK_ARGUMENT')
  assert.is(first(sequences, [])?.item, 'a')
})

test.run()
