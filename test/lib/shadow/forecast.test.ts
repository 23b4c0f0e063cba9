import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type ActionSpan, Course, type PastRun, type PresentCourse } from '../../../lib/shadow/course.js'
import { type ForecastPoint, forecast } from '../../../lib/shadow/forecast.js'
import { recordedRuns, runOf } from './recorded-runs.js'

const presentAt = ({ actions }: PastRun, elapsed: number): PresentCourse => ({
  elapsed,
  holds: [],
  actions: actions
    .filter(({ offset }) => offset <= elapsed)
    .map(({ duration, ...action }): ActionSpan => ({ ...action, duration: action.offset + duration <= elapsed ? duration : undefined }))
})
const course = (run: PastRun) => new Course(run, [])
const only = (points: readonly ForecastPoint[]) => points[0] as ForecastPoint

/** What a run does at a moment, by its record. */
function stateAt({ duration, actions }: PastRun, at: number): string {
  if (at >= duration) return 'over'
  return actions.find(action => action.offset <= at && at < action.offset + action.duration)?.name ?? 'between'
}

type Chances = ReadonlyMap<string, number>

function chancesOf({ over, between, actions }: ForecastPoint): Chances {
  return new Map([['over', over], ['between', between], ...actions.map(({ name, probability }) => [name, probability] as const)])
}

/** Squared error over all states (Brier, 1950). */
function brier(chances: Chances, state: string): number {
  const states = new Set([...chances.keys(), state])
  return [...states].reduce((sum, one) => sum + ((chances.get(one) ?? 0) - (one === state ? 1 : 0)) ** 2, 0)
}

function likeliest(chances: Chances): string {
  return [...chances].sort((a, b) => b[1] - a[1])[0]?.[0] ?? ''
}

/** Each recorded run is asked about at moments of it, with all the others as the past. */
function replay(horizons: readonly number[]) {
  const runs = recordedRuns(160)
  const asked = runs.flatMap((run, i) => {
    const others = runs.filter((_, j) => j !== i).map(course)
    // Moments that do not depend on how long it will take, as whoever asks does not know that.
    const moments = [20, 90, 180, 350].filter(now => now < run.duration)
    return moments.map(now => ({ run, others, now, horizon: horizons[i % horizons.length] as number }))
  })
  return { runs, asked }
}

test('what recorded runs did next was foretold better than by what runs do most, and better than by what they did before', () => {
  const { runs, asked } = replay([20, 100, 300])
  const often = new Map<string, number>()
  for (const { run, now, horizon } of asked) {
    const state = stateAt(run, now + horizon)
    often.set(state, (often.get(state) ?? 0) + 1 / asked.length)
  }
  const sums = { replica: { brier: 0, hits: 0 }, often: { brier: 0, hits: 0 }, same: { brier: 0, hits: 0 } }
  for (const { run, others, now, horizon } of asked) {
    const chances: Record<keyof typeof sums, Chances> = {
      replica: chancesOf(only(forecast(others, presentAt(run, now), [horizon], horizon).points)),
      often,
      same: new Map([[stateAt(run, now), 1]])
    }
    const state = stateAt(run, now + horizon)
    for (const [who, sum] of Object.entries(sums)) {
      sum.brier += brier(chances[who as keyof typeof sums], state) / asked.length
      sum.hits += (likeliest(chances[who as keyof typeof sums]) === state ? 1 : 0) / asked.length
    }
  }
  assert.is(runs.length, 160)
  for (const base of [sums.often, sums.same]) {
    assert.ok(sums.replica.brier < 0.8 * base.brier, JSON.stringify(sums))
    assert.ok(sums.replica.hits > 1.15 * base.hits, JSON.stringify(sums))
  }
})

test('the time that recorded runs had left, and the CPU that they used next, lay within the quantiles as often as these say', () => {
  const { asked } = replay([150])
  const missed = { time: 0, cpu: 0 }
  const widths = { known: 0, unknown: 0 }
  for (const { run, others, now, horizon } of asked) {
    const { remaining, points } = forecast(others, presentAt(run, now), [horizon], 0)
    const { cpu } = only(points).usage
    assert.ok(remaining !== undefined && cpu !== undefined)
    const left = run.duration - now
    const used = (1000 * (course(run).used('cpu', now, now + horizon) as number)) / horizon
    if (left < remaining.p05 || left > remaining.p95) missed.time++
    if (used < cpu.p05 - 1e-6 || used > cpu.p95 + 1e-6) missed.cpu++
    const durations = others.map(({ duration }) => duration).sort((a, b) => a - b)
    widths.known += remaining.p95 - remaining.p05
    widths.unknown += (durations[151] as number) - (durations[7] as number)
  }
  for (const [what, many] of Object.entries(missed)) assert.ok(many / asked.length < 0.11, `${what}: ${many} of ${asked.length}`)
  assert.ok(widths.known < 0.85 * widths.unknown, JSON.stringify(widths))
})

test('an action that has lasted longer than most is taken for one of those that last long', () => {
  const past = [...Array.from({ length: 30 }, () => runOf([['a', 100]])), ...Array.from({ length: 30 }, () => runOf([['a', 1000]]))].map(
    course
  )
  const young = forecast(past, presentAt(runOf([['a', 5000]]), 50), [100], 0)
  const old = forecast(past, presentAt(runOf([['a', 5000]]), 150), [100], 0)
  assert.is(only(young.points).over, 0.5)
  assert.is(only(old.points).over, 0)
  assert.is(old.remaining?.p05, 850)
})

test('the path tells apart what the last action alone does not', () => {
  const past = Array.from({ length: 40 }, (_, i) =>
    runOf(
      i % 2 === 0
        ? [
            ['x', 10],
            ['m', 10],
            ['a', 10]
          ]
        : [
            ['y', 10],
            ['m', 10],
            ['b', 10]
          ]
    )
  ).map(course)
  const x = presentAt(
    runOf([
      ['x', 10],
      ['m', 90]
    ]),
    15
  )
  const { likeness, points } = forecast(past, x, [10], 10)
  assert.is(likeness, 'path')
  assert.equal(only(points).actions, [{ name: 'a', probability: 1 }])
})

test('where too few went the same way, those count that came to the same in the end', () => {
  const loop = (times: number) => runOf(Array.from({ length: times }, () => ['step', 10] as const))
  const past = Array.from({ length: 40 }, () => loop(5)).map(course)
  const { likeness, samples, points } = forecast(past, presentAt(loop(9), 75), [3], 3)
  assert.is(likeness, 'recent')
  assert.ok(samples >= 20)
  assert.is(only(points).actions[0]?.probability, 1)
  const odd = forecast(past, presentAt(runOf([['other', 90]]), 30), [10], 10)
  assert.is(odd.likeness, 'time')
})

test('actions that overlap are each foretold', () => {
  const both = {
    ...runOf([['a', 100]]),
    actions: [...runOf([['a', 100]]).actions, { ...runOf([['b', 60]]).actions[0], position: 1, offset: 20 }]
  }
  const past = Array.from({ length: 30 }, () => course(both))
  const { actions } = only(forecast(past, presentAt(both, 30), [10], 10).points)
  assert.equal(actions.map(({ name }) => name).sort(), ['a', 'b'])
})

test('of runs of very many actions fewer are looked at, and tell the same', () => {
  const one = runOf([['a', 1000]])
  const many = {
    ...one,
    actions: Array.from({ length: 1000 }, (_, i) => ({ ...one.actions[0], name: `a${i % 50}`, position: i, usage: {} }))
  } as PastRun
  const past = Array.from({ length: 60 }, () => course(many))
  const times = Array.from({ length: 20 }, (_, i) => (i + 1) * 60)
  const { samples, likeness, points, remaining } = forecast(past, presentAt(many, 100), times, 0)
  assert.is(likeness, 'path')
  assert.ok(samples > 0 && samples < 60, `${samples}`)
  assert.equal([remaining?.p50, points[0]?.actions.length, points[19]?.over], [900, 50, 1])
})

test('where nothing is known it stays as it is, and nothing is said of times and use', () => {
  const nothing = forecast([], presentAt(runOf([['a', 100]]), 50), [1000], 0)
  assert.equal([nothing.likeness, nothing.samples, nothing.remaining], ['none', 0, undefined])
  assert.equal(only(nothing.points).actions, [{ name: 'a', probability: 1 }])
  assert.equal(only(nothing.points).usage, {})
})

test('what is used outside of actions is spread over the time outside of them', () => {
  const one = runOf([['a', 100]], { before: 50, after: 50, cpu: 20, cpuOutside: 30 })
  assert.is(course(one).used('cpu', 0, 50), 15)
  assert.is(course(one).used('cpu', 50, 100), 10)
  assert.is(course(one).used('cpu', -10, 1000), 50)
  assert.is(course(one).used('diskRead', 0, 1000), undefined)
  const past = Array.from({ length: 30 }, () => course(one))
  const { points } = forecast(past, presentAt(one, 20), [30, 130, 230], 0)
  assert.equal(
    points.map(({ usage }) => usage.cpu?.p50),
    [300, 200, 150]
  )
})

test('memory is that of the action, else of the run, and none after it', () => {
  const plain = runOf([['a', 100]], { after: 100 })
  const one = { ...plain, usage: { memory: 7 }, actions: plain.actions.map(action => ({ ...action, usage: { memory: 9 } })) }
  const past = Array.from({ length: 30 }, () => course(one))
  const { points } = forecast(past, presentAt(one, 10), [50, 150, 250], 0)
  assert.equal(
    points.map(({ usage }) => usage.memory?.p95),
    [9, 7, 0]
  )
})

test.run()
