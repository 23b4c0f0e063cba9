import {
  type Analogue,
  analoguesOf,
  type Course,
  type HeldSpan,
  type Likeness,
  type PastAction,
  type PresentCourse,
  thinned
} from './course.js'

/** A number that is not known exactly. */
export interface Quantiles90 {
  readonly p05: number
  readonly p50: number
  readonly p95: number
}

/** An action that a run may be in. Actions can overlap, so that probabilities may add up to more than 1. */
export interface LikelyAction {
  readonly name: string
  /** 0 to 1 */
  readonly probability: number
}

/** Something that a run may hold. */
export interface LikelyHold {
  readonly kind: 'lock' | 'pool'
  readonly name: string
  /** of a pool, by dimension: the mean where it holds any */
  readonly amounts: Readonly<Record<string, number>> | undefined
  /** 0 to 1 */
  readonly probability: number
}

/** CPU in millicores, memory in bytes, disk and network in bytes per second; what was not measured is not there. */
export type UsageForecast = Readonly<Partial<Record<ForecastField, Quantiles90>>>
export type ForecastField = 'cpu' | 'memory' | 'diskRead' | 'diskWritten' | 'networkReceived' | 'networkSent'

/** What a run may be doing at some moment. */
export interface ForecastPoint {
  /** ms from now */
  readonly in: number
  /** probability that it is over by then */
  readonly over: number
  /** probability that it goes on, and is in no action */
  readonly between: number
  /** the likeliest first */
  readonly actions: readonly LikelyAction[]
  /** the likeliest first */
  readonly holds: readonly LikelyHold[]
  /** of the time from the point before; of a single point: at that moment */
  readonly usage: UsageForecast
}

/** What a run may be doing from now on. */
export interface RunForecast {
  /** id of the run */
  readonly run: string
  readonly workflow: string
  /** what the past runs have in common with it that this is made of */
  readonly likeness: Likeness
  /** how many moments of past runs */
  readonly samples: number
  /** ms until it is over; undefined: nothing is known */
  readonly remaining: Quantiles90 | undefined
  readonly points: readonly ForecastPoint[]
}

/** Per ms of a counter; times 1,000 that is per second, and of CPU time millicores. */
const RATES: readonly ForecastField[] = ['cpu', 'diskRead', 'diskWritten', 'networkReceived', 'networkSent']
const MS_PER_S = 1000
const MOMENT_MS = 1e-3
/** Actions that are looked at, for all points together, some ms: where there are more, fewer courses are. */
const WORK_MAX = 200_000

/**
 * @param times ms from now, ascending; the usage at the first is that since `from`
 * @param from ms from now
 */
export function forecast(
  courses: readonly Course[],
  present: PresentCourse,
  times: readonly number[],
  from: number
): Omit<RunForecast, 'run' | 'workflow'> {
  const { likeness, analogues } = analoguesOf(courses, present)
  const futures = futuresOf(analogues, Math.min(0, from), times)
  return {
    likeness,
    samples: futures.length,
    remaining: quantiles(futures.map(({ course, now }) => course.duration - now)),
    points: times.map((time, i) => pointAt(futures, present, times[i - 1] ?? from, time))
  }
}

/** An analogue, with those of its actions that the forecast is about. */
interface Future extends Analogue {
  readonly actions: readonly PastAction[]
}

function futuresOf(analogues: readonly Analogue[], from: number, times: readonly number[]): Future[] {
  const until = times[times.length - 1] ?? 0
  const futures = analogues.map(({ course, now }) => {
    const actions = course.actions.filter(({ offset, duration }) => offset <= now + until && offset + duration >= now + from)
    return { course, now, actions }
  })
  const work = times.length * futures.reduce((sum, { actions }) => sum + actions.length, 0)
  return work > WORK_MAX ? thinned(futures, Math.max(1, Math.floor((futures.length * WORK_MAX) / work))) : futures
}

function pointAt(futures: readonly Future[], present: PresentCourse, from: number, to: number): ForecastPoint {
  // What is now is known; and where nothing is alike, that it stays as it is is all that can be said.
  if (to <= 0 || futures.length === 0) return asNow(futures, present, from, to)
  const actions = new Map<string, number>()
  const holds = new Map<string, Tally>()
  let [over, between] = [0, 0]
  for (const { course, now, actions: going } of futures) {
    if (now + to >= course.duration) {
      over++
      continue
    }
    const names = new Set(going.filter(action => goesOn(action, now + to)).map(({ name }) => name))
    if (names.size === 0) between++
    for (const name of names) actions.set(name, (actions.get(name) ?? 0) + 1)
    tally(holds, heldAt(course, going, now, now + to, present.holds))
  }
  const share = (times: number) => times / futures.length
  return {
    in: to,
    over: share(over),
    between: share(between),
    actions: likely([...actions].map(([name, times]) => ({ name, probability: share(times) }))),
    holds: likelyHolds(holds, futures.length),
    usage: usageOf(futures, from, to)
  }
}

/** How often something was held, and how much in all. */
interface Tally {
  readonly kind: 'lock' | 'pool'
  readonly name: string
  times: number
  readonly sums: Map<string, number>
}

/** Adds what one course would hold; what is held several times counts once, with all of its amounts. */
function tally(tallies: Map<string, Tally>, holds: readonly HeldSpan[]): void {
  const counted = new Set<Tally>()
  for (const { kind, name, amounts } of holds) {
    const key = `${kind} ${name}`
    const known = tallies.get(key) ?? { kind, name, times: 0, sums: new Map() }
    tallies.set(key, known)
    if (!counted.has(known)) known.times++
    counted.add(known)
    for (const unit in amounts) known.sums.set(unit, (known.sums.get(unit) ?? 0) + (amounts[unit] ?? 0))
  }
}

function likelyHolds(tallies: ReadonlyMap<string, Tally>, courses: number): LikelyHold[] {
  return likely(
    [...tallies.values()].map(({ kind, name, times, sums }) => {
      const amounts = kind === 'lock' ? undefined : Object.fromEntries([...sums].map(([unit, sum]) => [unit, sum / times]))
      return { kind, name, amounts, probability: times / courses }
    })
  )
}

function asNow(futures: readonly Future[], { actions, holds }: PresentCourse, from: number, to: number): ForecastPoint {
  const held = new Map<string, Tally>()
  tally(held, holds)
  const names = [...new Set(actions.filter(({ duration }) => duration === undefined).map(({ name }) => name))]
  return {
    in: to,
    over: 0,
    between: names.length === 0 ? 1 : 0,
    actions: names.map(name => ({ name, probability: 1 })),
    holds: likelyHolds(held, 1),
    usage: usageOf(futures, from, to)
  }
}

function likely<T extends { readonly probability: number }>(all: T[]): T[] {
  return all.sort((a, b) => b.probability - a.probability)
}

function goesOn({ offset, duration }: Pick<PastAction, 'offset' | 'duration'>, at: number): boolean {
  return offset <= at && at < offset + duration
}

/**
 * What would be held, if the run went on as this course did: of what it holds now that which had the same part in the course, by the run's own names for
 * it (an `album:7` for an `album:3`), and what the course took later.
 */
function heldAt(course: Course, going: readonly PastAction[], now: number, then: number, present: readonly HeldSpan[]): HeldSpan[] {
  const isHeld = ({ from, until = course.duration }: HeldSpan, at: number) => from <= at && at < until
  const still = present.filter(held => {
    const same = course.holds.find(one => one.action === held.action && one.ordinal === held.ordinal && isHeld(one, now))
    if (same !== undefined) return isHeld(same, then)
    // The course had nothing like it: it is released with what it is booked to, if not before.
    return held.action === undefined || going.some(action => action.name === held.action && goesOn(action, then))
  })
  return [...still, ...course.holds.filter(one => one.from > now && isHeld(one, then))]
}

function usageOf(all: readonly Future[], from: number, to: number): UsageForecast {
  const usage: Partial<Record<ForecastField, Quantiles90>> = {}
  const futures = all.map(({ course, now, actions }) => {
    return {
      course,
      now,
      actions: actions.filter(({ offset, duration }) => offset <= now + to + MOMENT_MS && offset + duration >= now + from)
    }
  })
  for (const field of RATES) {
    // A moment is as the time right after it.
    const long = to > from ? to - from : MOMENT_MS
    const used = measured(futures, ({ course, now, actions }) => course.used(field, now + from, now + from + long, actions))
    if (used !== undefined) usage[field] = scaled(used, MS_PER_S / long)
  }
  const memory = measured(futures, future => memoryAt(future, future.now + to))
  return memory === undefined ? usage : { ...usage, memory }
}

function scaled({ p05, p50, p95 }: Quantiles90, by: number): Quantiles90 {
  return { p05: by * p05, p50: by * p50, p95: by * p95 }
}

/** Over the futures that know. */
function measured(futures: readonly Future[], value: (one: Future) => number | undefined): Quantiles90 | undefined {
  return quantiles(futures.map(value).filter(one => one !== undefined))
}

/** Of several actions the most: of a process each tells all of it. */
function memoryAt({ course, actions }: Future, at: number): number | undefined {
  const { memory } = course
  if (memory === undefined || at >= course.duration) return memory === undefined ? undefined : 0
  const now = actions.flatMap(action => (goesOn(action, at) && action.usage.memory !== undefined ? [action.usage.memory] : []))
  return now.length > 0 ? Math.max(...now) : memory
}

/**
 * Of n samples like the one to come, that lies below the p95 with at least 95 %, and above the p05 likewise, whatever the distribution: the
 * ⌈0.95 (n + 1)⌉-th and the ⌊0.05 (n + 1)⌋-th (split conformal prediction: Papadopoulos et al., 2002; Lei et al., JASA 2018). With fewer than 19 the most and the
 * least, which is (n - 1) / (n + 1) of them.
 */
function quantiles(values: number[]): Quantiles90 | undefined {
  const n = values.length
  if (n === 0) return undefined
  const sorted = Float64Array.from(values).sort()
  const at = (rank: number) => sorted[Math.min(n, Math.max(1, rank)) - 1] as number
  return { p05: at(Math.floor(0.05 * (n + 1))), p50: at(Math.ceil(0.5 * n)), p95: at(Math.ceil(0.95 * (n + 1))) }
}
