import { Arrivals } from '../../predict/arrivals.js'
import { type Known, PlainLogistic, PooledHazard, poisson, poissonLately, remember } from '../key-rivals.js'
import { NEZHA, nezhaSpans, type Span } from '../nezha.js'
import { averagePrecision, brierSkill, calibration, calibrationError } from '../scores.js'
import type { Measure, Suite } from '../suite.js'

const WITHIN_MS = 500
const INSTANTS = 1_500
const BINS = 15
const SEED = 11
/** ms without a span after which nothing was recorded: minutes were, some of each quarter of an hour. */
const UNRECORDED_MS = 30_000

/** Operations of the services of a shop: which one is asked for next. */
export const nezha: Suite = {
  name: 'nezha',
  title:
    'whether each of 244 operations of a shop of 46 services is asked for within 500 ms, at 1,500 recorded moments of the last 30 % of time',
  settings: 'as for cloudphysics; what follows was set on the first 70 % of time, judged from 11:00 on; it goes on learning in the rest',
  needs: [NEZHA],
  async run({ data, progress }) {
    const { all, trained } = await nezhaSpans(data)
    const { happened, said } = judge(all, trained, Number.POSITIVE_INFINITY, progress)
    const measure = (id: string, of: (happened: number[], said: number[]) => number): Measure => {
      const [ours, ...others] = [...said].map(([name, probabilities]) => [name, of(happened, probabilities)] as const)
      const rivals = Object.fromEntries(others)
      const best = Number((id === 'ece' ? Math.min : Math.max)(...Object.values(rivals)).toPrecision(4))
      const must = id === 'ece' ? { atMost: best } : { atLeast: best }
      return { id, unit: '', value: ours?.[1] ?? Number.NaN, rivals, must }
    }
    const curve = (probabilities: number[]) => calibration(happened, probabilities, 50).map(bin => [bin.said, bin.happened] as const)
    return {
      measures: [
        measure('ap', averagePrecision),
        measure('brier-skill', brierSkill),
        measure('ece', (truth, probabilities) => calibrationError(truth, probabilities, BINS))
      ],
      charts: [
        {
          title: 'what was said, and what happened',
          x: 'said',
          y: 'happened',
          square: true,
          lines: [...said].map(([name, probabilities]) => ({ name, points: curve(probabilities) }))
        }
      ]
    }
  }
}

/** What happened, and what each said of it: of each key seen twice, at each moment. */
export interface Judged {
  readonly happened: number[]
  readonly said: Map<string, number[]>
}

interface Request {
  readonly key: bigint
  readonly run: number
  readonly time: number
}

/**
 * Learns from what came before `from`, and is judged at seeded moments from then on. Our model learns by itself while requests come; the
 * rivals that have to be fitted are, at as many moments before.
 */
export function judge(all: readonly Span[], from: number, to: number, progress: (part: number) => void): Judged {
  const requests = requestsOf(all)
  const model = new Arrivals({ within: WITHIN_MS })
  const known = new Map<bigint, Known>()
  const [hazard, logistic] = [new PooledHazard(), new PlainLogistic()]
  const happened: number[] = []
  const said = new Map<string, number[]>()
  const say = (name: string, probability: number) => {
    const row = said.get(name) ?? []
    if (row.push(probability) === 1) said.set(name, row)
  }
  const learnt = moments(all, 0, from)
  const judged = moments(all, from, to)
  let at = 0
  for (const [i, now] of [...learnt, ...judged].entries()) {
    const since = at
    while (at < requests.length && (requests[at] as Request).time < now) at++
    const came = requests.slice(since, at)
    model.record(came)
    for (const { key, time } of came) remember(known, key, time)
    const soon = soonFrom(requests, at, now)
    const asked = [...known].filter(([, { count }]) => count >= 2)
    if (i === learnt.length) logistic.fit()
    const scores = i < learnt.length ? [] : model.score(new BigUint64Array(asked.map(([key]) => key)), now)
    for (const [which, [key, one]] of asked.entries()) {
      if (i < learnt.length) {
        hazard.learn(one, now, soon.has(key))
        logistic.learn(one, now, soon.has(key))
        continue
      }
      happened.push(soon.has(key) ? 1 : 0)
      say('forelock', scores[which] as number)
      say('Poisson, all its time', poisson(one, now, WITHIN_MS))
      say('Poisson, last 8 gaps', poissonLately(one, now, WITHIN_MS))
      say('hazard of age and mean gap', hazard.score(one, now))
      say('logistic on recency and frequency', logistic.score(one, now))
    }
    progress((i + 1) / (learnt.length + judged.length))
  }
  return { happened, said }
}

function requestsOf(all: readonly Span[]): Request[] {
  const keys = new Map<string, bigint>()
  const runs = new Map<string, number>()
  return all.map(({ operation, trace, time }) => ({
    key: numbered(keys, operation, BigInt),
    run: numbered(runs, trace, at => at + 1),
    time
  }))
}

function soonFrom(requests: readonly Request[], from: number, now: number): Set<bigint> {
  const keys = new Set<bigint>()
  for (let i = from; i < requests.length && (requests[i] as Request).time < now + WITHIN_MS; i++) keys.add((requests[i] as Request).key)
  return keys
}

function numbered<T>(numbers: Map<string, T>, name: string, make: (at: number) => T): T {
  const known = numbers.get(name)
  if (known !== undefined) return known
  const made = make(numbers.size)
  numbers.set(name, made)
  return made
}

/** A time in which spans were recorded, without its last moments, of which it is not known what came within the time. */
interface Stretch {
  readonly began: number
  readonly length: number
}

/** Moments of the recorded time from one to another, in order, the same each time. */
function moments(all: readonly Span[], from: number, to: number): number[] {
  const stretches = stretchesOf(all.filter(({ time }) => time >= from && time < to))
  const together = stretches.reduce((sum, { length }) => sum + length, 0)
  let state = SEED
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const places = Array.from({ length: INSTANTS }, () => random() * together).sort((a, b) => a - b)
  return places.map(place => {
    let left = place
    for (const { began, length } of stretches) {
      if (left < length) return began + left
      left -= length
    }
    return to
  })
}

function stretchesOf(spans: readonly Span[]): Stretch[] {
  const stretches: Stretch[] = []
  let first = 0
  for (let i = 1; i <= spans.length; i++) {
    const [last, next] = [(spans[i - 1] as Span).time, spans[i]?.time ?? Number.POSITIVE_INFINITY]
    if (next - last <= UNRECORDED_MS) continue
    const began = (spans[first] as Span).time
    if (last - WITHIN_MS > began) stretches.push({ began, length: last - WITHIN_MS - began })
    first = i
  }
  return stretches
}
