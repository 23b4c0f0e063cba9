import type { Usage, UsageField } from '../metering/counters.js'

/** Something that a run holds or held. Times in ms from the beginning of the run. */
export interface HeldSpan {
  readonly kind: 'lock' | 'pool'
  readonly name: string
  /** of a pool, by dimension */
  readonly amounts: Readonly<Record<string, number>> | undefined
  /** name of the action that it is booked to; undefined: the run itself */
  readonly action: string | undefined
  /** the how-manieth that was booked there */
  readonly ordinal: number
  readonly from: number
  /** undefined: it is held still */
  readonly until: number | undefined
}

/** An action, as far as the course of a run is concerned. */
export interface ActionSpan {
  readonly name: string
  readonly position: number
  /** ms from the beginning of the run */
  readonly offset: number
  /** ms; undefined: it goes on */
  readonly duration: number | undefined
}

/** An action that is over, with what it used. */
export interface PastAction extends ActionSpan {
  readonly duration: number
  readonly usage: Partial<Usage>
}

/** How a run went, or goes by now. */
export interface PresentCourse {
  /** ms since it began */
  readonly elapsed: number
  readonly actions: readonly ActionSpan[]
  /** what it holds now */
  readonly holds: readonly HeldSpan[]
}

/** What is known of a run that is over. */
export interface PastRun {
  readonly tenant: string | undefined
  /** ms */
  readonly duration: number
  readonly usage: Partial<Usage>
  readonly actions: readonly PastAction[]
}

/** The beginning or the end of an action. */
interface Turn {
  readonly at: number
  /** which of the two, and of what */
  readonly what: string
  /** names of the actions that go on after it, each once; of many names none */
  readonly running: string
}

/** How a run went. */
export class Course implements PastRun {
  readonly tenant: string | undefined
  readonly duration: number
  readonly usage: Partial<Usage>
  /** in the order in which they began */
  readonly actions: readonly PastAction[]
  // These two are made when somebody asks for the first time: most courses are never asked.
  private found: readonly Turn[] | undefined = undefined
  private outside: Map<UsageField, number | undefined> | undefined = undefined

  constructor(
    { tenant, duration, usage, actions }: PastRun,
    readonly holds: readonly HeldSpan[]
  ) {
    this.tenant = tenant
    this.duration = duration
    this.usage = usage
    this.actions = actions
  }

  get turns(): readonly Turn[] {
    this.found ??= turnsOf(this.actions)
    return this.found
  }

  /**
   * How much of a counter was used from one moment to another. Within an action, and outside of all, use is spread evenly: more is not
   * recorded. Undefined: it was not measured.
   *
   * @param actions those that go on at any time in between, and others
   */
  used(field: UsageField, from: number, to: number, actions: readonly PastAction[] = this.actions): number | undefined {
    const outside = this.rateOutside(field)
    if (outside === undefined) return undefined
    let [used, covered, reached] = [0, 0, from]
    for (const { offset, duration, usage } of actions) {
      const value = usage[field]
      if (value === undefined) continue
      const [start, end] = [Math.max(from, offset), Math.min(to, offset + duration)]
      if (end <= start) continue
      used += (value * (end - start)) / duration
      covered += Math.max(0, end - Math.max(reached, start))
      reached = Math.max(reached, end)
    }
    const alone = Math.max(0, Math.min(to, this.duration) - Math.max(0, from) - covered)
    return used + alone * outside
  }

  /** Bytes of the action that had most, or of the whole run; undefined: it was not measured. */
  get memory(): number | undefined {
    const { memory } = this.usage
    if (memory !== undefined) return memory
    return this.actions.reduce((most: number | undefined, { usage }) => {
      return usage.memory === undefined ? most : Math.max(most ?? 0, usage.memory)
    }, undefined)
  }

  /** By the ms in which no action went on that it was measured of. */
  private rateOutside(field: UsageField): number | undefined {
    this.outside ??= new Map()
    if (this.outside.has(field)) return this.outside.get(field)
    const rate = this.findRateOutside(field)
    this.outside.set(field, rate)
    return rate
  }

  private findRateOutside(field: UsageField): number | undefined {
    const all = this.usage[field]
    let [inside, covered, reached, isKnown] = [0, 0, 0, all !== undefined]
    for (const { offset, duration, usage } of this.actions) {
      const value = usage[field]
      if (value === undefined) continue
      isKnown = true
      inside += value
      covered += Math.max(0, offset + duration - Math.max(reached, offset))
      reached = Math.max(reached, offset + duration)
    }
    const idle = this.duration - covered
    if (!isKnown) return undefined
    return all !== undefined && idle > 0 ? Math.max(0, all - inside) / idle : 0
  }
}

/** A course, and the moment of it (ms) that is like the present one of another run. */
export interface Analogue {
  readonly course: Course
  readonly now: number
}

/**
 * What the analogues have in common with the run: `path`, all of its actions so far; `recent`, the last ones, and which go on; `last`, the last
 * beginning or end of one; `time`, only that they had not ended by then; `none`: there are none.
 */
export type Likeness = 'path' | 'recent' | 'last' | 'time' | 'none'

/** Fewer than these say little of the 5th and the 95th percentile: less alike ones are taken too. */
const ENOUGH = 20
/** The most that is looked at. */
const MOST = 256
/** Turns back to which courses are told apart, before only whole paths are. */
const DEPTH = 4

/**
 * The moments of past courses that are like the present of a run; what followed them is what may follow. The state is the run's path so far, or the
 * end of it where few went the same way (annotated transition systems: van der Aalst, Schonenberg, Song, "Time prediction based on process
 * mining", Information Systems 36, 2011). Since the last turn of the path some time has passed, and only courses that went on for longer
 * without the next turn are alike: what was left of these then is the empirical residual distribution.
 */
export function analoguesOf(
  courses: readonly Course[],
  { elapsed, actions }: PresentCourse
): { likeness: Likeness; analogues: Analogue[] } {
  const path = turnsOf(actions)
  const age = elapsed - (path.at(-1)?.at ?? 0)
  const byDepth: Analogue[][] = Array.from({ length: DEPTH + 2 }, () => [])
  for (const course of courses) {
    const { turns } = course
    for (let at = path.length === 0 ? -1 : 0; at < (path.length === 0 ? 0 : turns.length); at++) {
      const depth = depthOf(path, turns, at)
      if (depth < 0) continue
      const since = at < 0 ? 0 : (turns[at] as Turn).at
      if ((turns[at + 1]?.at ?? course.duration) - since > age) byDepth[depth]?.push({ course, now: since + age })
    }
  }
  const found: Analogue[] = []
  let depth = byDepth.length
  while (depth > 0 && found.length < ENOUGH) found.push(...(byDepth[--depth] as Analogue[]))
  if (found.length > 0) return { likeness: depth > DEPTH ? 'path' : depth > 0 ? 'recent' : 'last', analogues: thinned(found, MOST) }
  const lasting = courses.filter(({ duration }) => duration > elapsed).map(course => ({ course, now: elapsed }))
  return { likeness: lasting.length > 0 ? 'time' : 'none', analogues: thinned(lasting, MOST) }
}

/**
 * How much of the path leads to this turn of a course too: -1, not even the last turn; 0, that, but other actions go on; from 1 on, so many turns,
 * and the same actions go on; DEPTH + 1: all, from the beginning.
 */
function depthOf(path: readonly Turn[], turns: readonly Turn[], at: number): number {
  const last = path.length - 1
  if (last < 0) return DEPTH + 1
  if (path[last]?.what !== turns[at]?.what) return -1
  if (path[last]?.running !== turns[at]?.running) return 0
  let depth = 1
  while (depth <= last && depth <= at && path[last - depth]?.what === turns[at - depth]?.what) {
    depth++
    if (depth > DEPTH && last !== at) break
  }
  return depth === path.length && last === at ? DEPTH + 1 : Math.min(DEPTH, depth)
}

/** So many of them at most, evenly. */
export function thinned<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all]
  return Array.from({ length: most }, (_, i) => all[Math.floor((i * all.length) / most)] as T)
}

function turnsOf(actions: readonly ActionSpan[]): Turn[] {
  const turns: { at: number; rank: number; name: string; begins: boolean }[] = []
  for (const { name, position, offset, duration } of actions) {
    // At one moment ends come before beginnings, but none before its own.
    turns.push({ at: offset, rank: 1 + 2 * position, name, begins: true })
    if (duration === undefined) continue
    turns.push({ at: offset + duration, rank: duration > 0 ? 0 : 2 + 2 * position, name, begins: false })
  }
  turns.sort((a, b) => a.at - b.at || a.rank - b.rank)
  const running = new Map<string, number>()
  let names = ''
  return turns.map(({ at, name, begins }) => {
    const before = running.get(name) ?? 0
    const after = before + (begins ? 1 : -1)
    if (after === 0) running.delete(name)
    else running.set(name, after)
    if (before === 0 || after === 0) names = running.size > NAMES_MAX ? MANY : [...running.keys()].sort().join('\0')
    return { at, what: `${begins ? '+' : '-'}${name}`, running: names }
  })
}

/** Of more that go on at once the names are not compared. */
const NAMES_MAX = 16
const MANY = '\0'
