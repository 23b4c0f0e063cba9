import { count, duration, flag, objects, optionsOf, refuse, text } from '../checks.js'
import { CorruptError } from '../errors/index.js'
import { type LagQuantiles, Lags } from './lags.js'
import { logTail } from './poisson.js'
import { readTriggers, type SavedStream, type SavedTally, writeTriggers } from './saved-triggers.js'

export interface TriggersOptions {
  /** ms within which what follows is looked for; default 5,000 */
  within?: number | undefined
  /** streams that are known at most; of more, those that came last; default 1,024 */
  streams?: number | undefined
  /** streams that are known to follow one, at most; default 64 */
  followers?: number | undefined
}

/** Something that came: a workflow that began, a span, a request. */
export interface Occurrence {
  /** what came: the name of the workflow, of the operation */
  readonly stream: string
  /** ms; in order */
  readonly time: number
  /** the trace or run that it is part of: what follows is looked for inside of it, and only the first of a run is a stream across runs, too */
  readonly run?: string | undefined
}

/** One stream that comes after another more often than by chance. */
export interface Trigger {
  readonly from: string
  readonly to: string
  /** of what came in one run; otherwise of all that came */
  readonly inside: boolean
  /** that it follows within the time */
  readonly probability: number
  /** until it first does, of the times that it did */
  readonly lag: LagQuantiles
  /** how many times as often as by chance */
  readonly lift: number
  /** times that it followed */
  readonly support: number
  /** of as many by chance, times all pairs that were looked at (Bonferroni); 1 at most */
  readonly pValue: number
}

export interface TriggersListOptions {
  /** of pValue, at most; default 0.01 */
  pValue?: number | undefined
  /** of support, at least; default 5 */
  support?: number | undefined
  /** only inside of runs, or only across them; default: both */
  inside?: boolean | undefined
}

/** How often one followed another. */
interface Tally {
  /** times of the first at which counting began */
  readonly since: number
  followed: number
  /** the same, each of the second behind no more than one of the first */
  hits: number
  /** hits by chance, as the second came about that time; and as it came in the busier of the times before and after */
  chance: number
  most: number
  readonly lags: Lags
}

interface Stream {
  readonly name: string
  /** times of its latest, oldest first */
  times: number[]
  /** when some were given up for being too many */
  trimmed: number
  /** how often it led, across and inside of runs */
  led: number
  ran: number
  lastLed: number
  /** times that it followed something inside of a run */
  ranBehind: number
  readonly across: Map<string, Tally>
  readonly inside: Map<string, Tally>
}

interface InRun {
  readonly stream: string
  readonly time: number
  readonly followed: Set<string>
}

const WITHIN_MS = 5_000
const STREAMS = 1_024
const STREAMS_MAX = 100_000
const FOLLOWERS = 64
const FOLLOWERS_MAX = 10_000
/** How far the time about a leader reaches to either side, in times of `within`. */
const SIDE = 8
/** Of a stream, in the time about a leader: what comes more often than that comes anyway, and is not said to follow. */
const TIMES = 1_024
/** Of leaders that come together only some are looked at: so many in the time. */
const LED_WITHIN = 8
const RUNS = 4_096
const IN_RUN = 32
const P_VALUE = 0.01
const SUPPORT = 5

/**
 * Which streams raise others: A triggers B with a probability, after a lag. Across streams, B behind A is compared with how often B came about
 * that time anyway, eight times as far before and after: given how many of B there were, they would lie anywhere in it by chance, so that busy
 * hours raise nothing. Inside of runs, it is compared with how often B comes behind anything. Both are tested as counts of a Poisson
 * distribution, whose tail is the wider one (Le Cam, Pacific J. Math. 10(4), 1960). Memory is bounded; of more followers than are kept, those
 * that followed most stay, near to space-saving (Metwally et al., ICDT 2005).
 */
export class Triggers {
  private readonly within: number
  private readonly most: { streams: number; followers: number }
  private readonly streams = new Map<string, Stream>()
  private readonly runs = new Map<string, InRun[]>()
  /** leaders of which it is not over what came about them */
  private due: { stream: Stream; time: number }[] = []
  private firstDue = 0
  private began = Number.NaN
  private now = Number.NEGATIVE_INFINITY
  /** of all streams: led inside of runs */
  private ran = 0
  private isFull = false
  private refused = 0

  /** @throws ArgumentError */
  constructor(options?: TriggersOptions) {
    const {
      within = WITHIN_MS,
      streams = STREAMS,
      followers = FOLLOWERS
    } = optionsOf(options, ['within', 'streams', 'followers'], 'Triggers')
    this.within = duration(within, 'within')
    if (!(this.within > 0 && Number.isFinite(this.within))) throw refuse('within', 'a number of milliseconds above 0', within)
    this.most = {
      streams: count(streams, 'streams', 1, STREAMS_MAX),
      followers: count(followers, 'followers', 1, FOLLOWERS_MAX)
    }
  }

  /**
   * Takes what came, in the order of time; a time before the last one is taken for the last one.
   *
   * @throws ArgumentError, and what came before is taken
   */
  record(occurrences: Iterable<Occurrence>): void {
    for (const { stream, time, run } of objects(occurrences, 'occurrences')) {
      text(stream, 'stream')
      if (typeof time !== 'number' || !Number.isFinite(time)) throw refuse('time', 'a number of milliseconds', time)
      if (run !== undefined) text(run, 'run')
      this.advance(time)
      const came = this.touch(stream)
      const isFirst = run === undefined || !this.runs.has(run)
      if (run !== undefined) this.inRun(run, came)
      if (isFirst) this.across(came)
    }
  }

  /** Goes on to a moment at which nothing came: what came 8 x `within` before it is judged. */
  advance(time: number): void {
    if (typeof time !== 'number' || !Number.isFinite(time)) throw refuse('time', 'a number of milliseconds', time)
    if (Number.isNaN(this.began)) this.began = time
    this.now = Math.max(this.now, time)
    for (; this.firstDue < this.due.length; this.firstDue++) {
      const { stream, time: at } = this.due[this.firstDue] as { stream: Stream; time: number }
      if (at + SIDE * this.within > this.now) break
      this.judge(stream, at)
    }
    if (2 * this.firstDue < this.due.length) return
    this.due = this.due.slice(this.firstDue)
    this.firstDue = 0
  }

  /**
   * What was found, the most certain first.
   *
   * @throws ArgumentError
   */
  triggers(options?: TriggersListOptions): Trigger[] {
    const { pValue = P_VALUE, support = SUPPORT, inside } = optionsOf(options, ['pValue', 'support', 'inside'], 'triggers()')
    if (typeof pValue !== 'number' || !(pValue >= 0 && pValue <= 1)) throw refuse('pValue', 'a probability', pValue)
    count(support, 'support', 0, Number.MAX_SAFE_INTEGER)
    if (inside !== undefined) flag(inside, 'inside')
    const found: (Trigger & { logP: number })[] = []
    const pairs = this.pairs()
    for (const one of this.streams.values()) {
      for (const isInside of [false, true]) {
        if (inside !== undefined && inside !== isInside) continue
        for (const [to, tally] of isInside ? one.inside : one.across) {
          const trigger = this.trigger(one, to, tally, isInside, pairs)
          if (trigger !== undefined && trigger.logP <= Math.log(pValue) && trigger.support >= support) found.push(trigger)
        }
      }
    }
    return found.sort((a, b) => a.logP - b.logP).map(({ logP: _, ...trigger }) => trigger)
  }

  /** What was learnt; the runs that are under way are not part of it. */
  save(): Uint8Array {
    const due = this.due.slice(this.firstDue).filter(({ stream }) => this.streams.get(stream.name) === stream)
    return writeTriggers({
      within: this.within,
      began: numberOf(this.began),
      now: numberOf(this.now),
      ran: this.ran,
      isFull: this.isFull,
      refused: this.refused,
      streams: [...this.streams.values()].map(savedStream),
      due: due.map(({ stream, time }) => [stream.name, time])
    })
  }

  /**
   * Goes on from what was saved, in place of what it knows, with its own bounds.
   *
   * @throws CorruptError if it is not what `save()` gave, or of another `within`, and nothing has changed
   */
  load(saved: Uint8Array): void {
    const read = readTriggers(saved)
    if (read === undefined || read.within !== this.within) {
      throw new CorruptError('the saved triggers are damaged, or of another version or time', {})
    }
    this.streams.clear()
    // Of more than are kept, those that came last.
    for (const one of read.streams.slice(-this.most.streams)) this.streams.set(one.name, streamOf(one, this.most.followers))
    this.due = read.due.flatMap(([name, time]) => {
      const stream = this.streams.get(name)
      return stream === undefined ? [] : [{ stream, time }]
    })
    this.firstDue = 0
    this.began = read.began ?? Number.NaN
    this.now = read.now ?? Number.NEGATIVE_INFINITY
    this.ran = read.ran
    this.isFull = read.isFull
    this.refused = read.refused
    this.runs.clear()
  }

  private pairs(): number {
    let pairs = 0
    for (const { across, inside } of this.streams.values()) pairs += across.size + inside.size
    return pairs
  }

  private trigger(from: Stream, to: string, tally: Tally, inside: boolean, pairs: number): (Trigger & { logP: number }) | undefined {
    const times = (inside ? from.ran : from.led) - tally.since
    const lag = tally.lags.quantiles()
    if (lag === undefined || times <= 0) return undefined
    const chance = inside ? (times * (this.streams.get(to)?.ranBehind ?? 0)) / this.ran : tally.chance
    const most = inside ? chance : tally.most
    if (!(chance > 0)) return undefined
    const logP = Math.min(0, logTail(tally.hits, most) + Math.log(pairs))
    const probability = Math.min(1, tally.followed / times)
    return {
      from: from.name,
      to,
      inside,
      probability,
      lag,
      lift: tally.hits / chance,
      support: tally.followed,
      pValue: Math.exp(logP),
      logP
    }
  }

  private touch(name: string): Stream {
    const known = this.streams.get(name)
    // The last of a map are those that came last.
    if (known !== undefined) this.streams.delete(name)
    const came: Stream = known ?? {
      name,
      times: [],
      trimmed: Number.NEGATIVE_INFINITY,
      led: 0,
      ran: 0,
      lastLed: Number.NEGATIVE_INFINITY,
      ranBehind: 0,
      across: new Map(),
      inside: new Map()
    }
    this.streams.set(name, came)
    if (this.streams.size > this.most.streams) this.streams.delete(this.streams.keys().next().value as string)
    return came
  }

  private across(came: Stream): void {
    const from = this.now - 2 * SIDE * this.within
    if (came.times.length >= TIMES) came.times = came.times.filter(time => time >= from)
    if (came.times.length >= TIMES) {
      came.times = came.times.slice(TIMES >> 1)
      came.trimmed = this.now
    }
    came.times.push(this.now)
    if (this.now - came.lastLed < this.within / LED_WITHIN) return
    came.lastLed = this.now
    this.due.push({ stream: came, time: this.now })
  }

  /** What came about a leader is known now. */
  private judge(leader: Stream, time: number): void {
    const [from, to] = [Math.max(this.began, time - SIDE * this.within), time + SIDE * this.within]
    const next = leader.times[above(leader.times, time)] ?? Number.POSITIVE_INFINITY
    const own = Math.min(this.within, next - time)
    for (const other of this.streams.values()) {
      if (other === leader || other.trimmed >= from) continue
      const { times } = other
      const [first, middle, last] = [below(times, from), above(times, time), above(times, to)]
      if (first === last) continue
      const lag = middle < times.length ? (times[middle] as number) - time : Number.POSITIVE_INFINITY
      const tally = this.tally(leader.across, other.name, leader.led)
      if (tally === undefined) continue
      const chance = (among: number, length: number) => (length > own ? 1 - (1 - own / length) ** among : among > 0 ? 1 : 0)
      tally.chance += chance(last - first, to - from)
      tally.most += Math.max(chance(middle - first, time - from), chance(last - middle, to - time))
      if (lag > this.within) continue
      tally.followed++
      tally.lags.add(lag)
      if (lag <= own) tally.hits++
    }
    leader.led++
  }

  private inRun(run: string, came: Stream): void {
    const before = (this.runs.get(run) ?? []).filter(({ time }) => this.now - time <= this.within).slice(-(IN_RUN - 1))
    for (const { stream, time, followed } of before) {
      if (stream === came.name || followed.has(came.name)) continue
      followed.add(came.name)
      came.ranBehind++
      const leader = this.streams.get(stream)
      const tally = leader === undefined ? undefined : this.tally(leader.inside, came.name, leader.ran - 1)
      if (tally === undefined) continue
      tally.followed++
      tally.hits++
      tally.lags.add(this.now - time)
    }
    came.ran++
    this.ran++
    before.push({ stream: came.name, time: this.now, followed: new Set() })
    this.runs.delete(run)
    this.runs.set(run, before)
    if (this.runs.size > RUNS) this.runs.delete(this.runs.keys().next().value as string)
  }

  /** Undefined: there are as many followers as are kept, and they follow more often. */
  private tally(tallies: Map<string, Tally>, name: string, times: number): Tally | undefined {
    const known = tallies.get(name)
    if (known !== undefined) return known
    if (tallies.size >= this.most.followers) {
      this.isFull = true
      // One look through all of them for as many that ask for a place.
      if (++this.refused % this.most.followers !== 0) return undefined
      let least: [string, Tally] | undefined
      for (const one of tallies) if (least === undefined || one[1].followed < least[1].followed) least = one
      const [rarest, { followed }] = least as [string, Tally]
      if (followed > 1) {
        ;(least as [string, Tally])[1].followed--
        return undefined
      }
      tallies.delete(rarest)
    }
    // One that was put out before may have followed before: it is counted from here on.
    const made = { since: this.isFull ? times : 0, followed: 0, hits: 0, chance: 0, most: 0, lags: new Lags() }
    tallies.set(name, made)
    return made
  }
}

/** Null of what JSON has no number for. */
function numberOf(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

function savedStream({ trimmed, lastLed, across, inside, ...stream }: Stream): SavedStream {
  const tallies = (all: Map<string, Tally>): SavedTally[] =>
    [...all].map(([to, { lags, ...tally }]) => ({ to, ...tally, lags: lags.toJSON() }))
  return { ...stream, trimmed: numberOf(trimmed), lastLed: numberOf(lastLed), across: tallies(across), inside: tallies(inside) }
}

function streamOf({ trimmed, lastLed, across, inside, times, ...stream }: SavedStream, followers: number): Stream {
  const tallies = (all: readonly SavedTally[]) => {
    const kept = all.length > followers ? [...all].sort((a, b) => b.followed - a.followed).slice(0, followers) : all
    return new Map(kept.map(({ to, lags, ...tally }): [string, Tally] => [to, { ...tally, lags: new Lags(lags) }]))
  }
  const past = Number.NEGATIVE_INFINITY
  return {
    ...stream,
    times: [...times],
    trimmed: trimmed ?? past,
    lastLed: lastLed ?? past,
    across: tallies(across),
    inside: tallies(inside)
  }
}

/** How many of them, in order, are less. */
function below(times: readonly number[], time: number): number {
  return search(times, at => at < time)
}

/** How many of them, in order, are not more. */
function above(times: readonly number[], time: number): number {
  return search(times, at => at <= time)
}

function search(times: readonly number[], isBefore: (time: number) => boolean): number {
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBefore(times[middle] as number)) low = middle + 1
    else high = middle
  }
  return low
}
