import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readTriggers } from '../../../lib/predict/saved-triggers.js'
import { type Occurrence, Triggers } from '../../../lib/predict/triggers.js'
import { isCoded, thrown } from '../support.js'
import { seeded } from './series.js'

const HOUR_MS = 3_600_000

/** Independent times of a stream, so many an hour on average. */
function poisson(stream: string, perHour: number, hours: number, seed: number, busy: (hour: number) => number = () => 1): Occurrence[] {
  const random = seeded(seed)
  const found: Occurrence[] = []
  const peak = 4
  for (let time = 0; time < hours * HOUR_MS; ) {
    time += (-Math.log(1 - random()) * HOUR_MS) / (perHour * peak)
    if (random() * peak < busy(Math.floor(time / HOUR_MS))) found.push({ stream, time })
  }
  return found
}

const inOrder = (...all: Occurrence[][]) => all.flat().sort((a, b) => a.time - b.time)

test('finds which workflow raises another, how often and how much later, and not the other way round', () => {
  const random = seeded(3)
  const imports = poisson('import', 60, 20, 1)
  const reports = imports.flatMap(({ time }) => (random() < 0.7 ? [{ stream: 'report', time: time + 1_000 + 500 * random() }] : []))
  const triggers = new Triggers()
  triggers.record(inOrder(imports, reports, poisson('report', 5, 20, 2), poisson('mail', 60, 20, 4)))
  const found = triggers.triggers()
  assert.equal(
    found.map(({ from, to, inside }) => [from, to, inside]),
    [['import', 'report', false]]
  )
  const [{ probability, lag, lift, support, pValue }] = found as [(typeof found)[number]]
  assert.ok(Math.abs(probability - 0.7) < 0.05, `${probability}`)
  assert.ok(lag.low > 800 && lag.low < 1_300 && lag.high < 2_000 && lag.median > lag.low, JSON.stringify(lag))
  assert.ok(lift > 2 && support > 500 && pValue < 1e-9)
})

test('streams that are busy in the same hours raise nothing', () => {
  const busy = (hour: number) => (hour % 2 === 0 ? 4 : 0.1)
  const all = Array.from({ length: 12 }, (_, i) => poisson(`stream ${i}`, 60, 30, 10 + i, busy))
  const triggers = new Triggers()
  triggers.record(inOrder(...all))
  assert.equal(triggers.triggers(), [])
})

test('inside of runs it tells what follows there, though many run at once', () => {
  const random = seeded(8)
  const steps = Array.from({ length: 2_000 }, (_, i): Occurrence[] => {
    const [run, time] = [`run ${i}`, 40 * i]
    const first = i % 2 === 0 ? 'order' : 'search'
    const second = i % 2 === 0 ? 'pay' : 'show'
    return [
      { stream: first, time, run },
      { stream: second, time: time + 200 + 100 * random(), run }
    ]
  })
  const triggers = new Triggers({ within: 1_000 })
  triggers.record(inOrder(...steps))
  const found = triggers.triggers({ inside: true })
  assert.equal(found.map(({ from, to }) => `${from} ${to}`).sort(), ['order pay', 'search show'])
  for (const { probability, lag, support } of found) {
    assert.ok(probability > 0.99 && support > 990)
    assert.ok(lag.low > 170 && lag.high < 350, JSON.stringify(lag))
  }
})

test('what came is judged when what came about it is known, and few cases tell nothing', () => {
  const triggers = new Triggers({ within: 1_000 })
  for (let i = 0; i < 6; i++)
    triggers.record([
      { stream: 'a', time: 60_000 * i },
      { stream: 'b', time: 60_000 * i + 100 }
    ])
  assert.is(triggers.triggers({ pValue: 1 })[0]?.support, 5)
  triggers.advance(400_000)
  assert.is(triggers.triggers({ pValue: 1 })[0]?.support, 6)
  assert.equal(triggers.triggers({ pValue: 1, support: 7 }), [])
  assert.equal(triggers.triggers({ pValue: 1e-9 }), [])
})

test('of more streams and followers than there is room for, what follows often stays', () => {
  const random = seeded(5)
  const triggers = new Triggers({ within: 1_000, streams: 40, followers: 4 })
  const pairs = inOrder(
    poisson('a', 120, 10, 1).flatMap(({ time }) => [
      { stream: 'a', time },
      { stream: 'b', time: time + 300 }
    ])
  )
  const noise = poisson('noise', 400, 10, 2).map(({ time }) => ({ stream: `noise ${Math.floor(30 * random())}`, time }))
  triggers.record(inOrder(pairs, noise))
  const [first] = triggers.triggers()
  assert.equal([first?.from, first?.to], ['a', 'b'])
})

test('refuses what is none, and keeps what came before it', () => {
  const triggers = new Triggers()
  const calls = [
    () => new Triggers({ within: 0 }),
    () => new Triggers({ within: Number.POSITIVE_INFINITY }),
    () => new Triggers({ streams: 0 }),
    () => new Triggers({ followers: 0.5 }),
    () => new Triggers(null as never),
    () => new Triggers({ withing: 5 } as never),
    () => triggers.record(undefined as never),
    () => triggers.record([null as never]),
    () => triggers.record([{ stream: 1 as unknown as string, time: 0 }]),
    () => triggers.record([{ stream: 'a', time: Number.NaN }]),
    () => triggers.record([{ stream: 'a', time: 0, run: 5 as unknown as string }]),
    () => triggers.advance(Number.POSITIVE_INFINITY),
    () => triggers.triggers({ pValue: 2 }),
    () => triggers.triggers({ support: -1 }),
    () => triggers.triggers(null as never),
    () => triggers.triggers(5 as never),
    () => triggers.triggers({ inside: 1 as never }),
    () => triggers.triggers({ pvalue: 0.5 } as never)
  ]
  for (const call of calls) isCoded(thrown(call), 'ERR_FORELOCK_ARGUMENT')
  assert.equal(triggers.triggers(), [])
})

test('goes on from what was saved as it would have', () => {
  const random = seeded(3)
  const imports = poisson('import', 60, 10, 1)
  const reports = imports.flatMap(({ time }, i) => [
    { stream: 'report', time: time + 1_000 + 500 * random(), run: `run ${i}` },
    { stream: 'mail', time: time + 2_000, run: `run ${i}` }
  ])
  const all = inOrder(imports, reports)
  const triggers = new Triggers()
  triggers.record(all.slice(0, 900))
  triggers.advance((all[899]?.time ?? 0) + 6_000)
  const other = new Triggers()
  other.load(triggers.save())
  for (const one of [triggers, other])
    one.record(all.slice(900).map(({ run, ...rest }) => ({ ...rest, run: run === undefined ? run : `late ${run}` })))
  assert.ok(triggers.triggers().length > 1)
  assert.equal(other.triggers(), triggers.triggers())
  const empty = new Triggers()
  empty.load(new Triggers().save())
  assert.equal(empty.triggers(), [])
})

test('saved streams beyond the room there is are left out, the last stay', () => {
  const triggers = new Triggers()
  triggers.record(['a', 'b', 'c'].map((stream, i) => ({ stream, time: i })))
  const small = new Triggers({ streams: 2, followers: 1 })
  small.load(triggers.save())
  const kept = readTriggers(small.save())
  assert.equal(
    kept?.streams.map(({ name }) => name),
    ['b', 'c']
  )
  assert.equal(
    kept?.due.map(([name]) => name),
    ['b', 'c']
  )
})

test('refuses what is not what it saved, and goes on as it was', () => {
  const triggers = new Triggers()
  triggers.record(Array.from({ length: 40 }, (_, i) => ({ stream: i % 2 === 0 ? 'a' : 'b', time: 60_000 * (i >> 1) + 500 * (i % 2) })))
  triggers.advance(1e8)
  const before = triggers.triggers({ pValue: 1 })
  const saved = triggers.save()
  const broken = Uint8Array.from(saved)
  broken[60] = (broken[60] as number) ^ 1
  for (const bad of [broken, saved.subarray(0, 40), new Uint8Array(0), null, 'a', new Triggers({ within: 7 }).save()]) {
    isCoded(
      thrown(() => triggers.load(bad as Uint8Array)),
      'ERR_FORELOCK_CORRUPT'
    )
  }
  assert.ok(before.length > 0)
  assert.equal(triggers.triggers({ pValue: 1 }), before)
})

test.run()
