import type { AdmitParts } from '../admit.js'
import { UNITS_MAX } from '../native/binding.js'
import { type Pool, pools } from '../pool.js'
import type { AmountsByName } from '../pool-terms.js'
import { doubled, type SizeBounds, Sizer, stepsOf } from '../predict/sizer.js'
import type { UsageInput } from '../predict/usage-input.js'
import type { Session } from '../session.js'
import { NS_PER_MS } from '../units.js'
import { amountsOf } from './amounts.js'
import { forgettingOf } from './forgetting.js'
import { addLearner, type Learner } from './learners.js'
import type { ReadLearning } from './learning.js'
import type { RunRecord } from './record.js'

/** Lessons that are kept, to be learnt anew without those of a tenant: as many as models are made from. */
const LESSONS = 128
/** What a pool has is asked for again when it is older: that takes longer than to predict. */
const CAPACITY_MS = 1_000
const FIRST_PART = 1 / 16
/** Each takes some 50 us of the event loop; of a workflow with more runs these say as much. */
const LESSONS_A_SECOND = 100
const MS_PER_S = 1_000
/** As many as a model knows. */
const WORKFLOWS_MAX = 1_024

/** What a run took of a pool, from its input. */
export interface Lesson {
  readonly tenant: string | undefined
  readonly input: UsageInput
  /** by dimension; NaN: not known */
  readonly used: readonly number[]
}

/** What is told of a run that was sized. */
export type RunTold = Pick<RunRecord, 'id' | 'workflow' | 'tenant' | 'outcome' | 'input' | 'sized'> &
  Partial<Pick<RunRecord, 'duration' | 'usage'>>

export function toldOf({ id, workflow, tenant, outcome, input, sized }: RunRecord): RunTold {
  return { id, workflow, tenant, outcome, input, sized }
}

/** A workflow that is sized. */
interface Known {
  kept: Lesson[]
  /** ms on the arena's clock, and lessons since then */
  since: number
  lately: number
}

/** What all workflows of a governor have learnt of pools of the same dimensions, with the same part that may be short. */
class Lessons implements Learner {
  readonly sizer: Sizer
  count = 0
  private readonly known = new Map<string, Known>()

  constructor(
    private readonly names: readonly string[],
    under: number
  ) {
    this.sizer = new Sizer({ dimensions: names.length, under })
  }

  /** Whether runs of it are sized here. */
  isOf(workflow: string): boolean {
    return this.known.has(workflow)
  }

  /** The workflow used last is at the end. */
  begin(workflow: string): Known {
    const known = this.known.get(workflow) ?? { kept: [], since: 0, lately: 0 }
    this.known.delete(workflow)
    this.known.set(workflow, known)
    if (this.known.size > WORKFLOWS_MAX) {
      const [oldest = ''] = this.known.keys()
      this.known.delete(oldest)
      this.sizer.forget(oldest)
    }
    return known
  }

  lessonOf(record: RunTold, tenant: string | undefined): Lesson | undefined {
    const used = usedBy(this.names, record)
    return used.some(amount => !Number.isNaN(amount)) ? { tenant, input: usageInputOf(record.input), used } : undefined
  }

  /** @param now ms on the arena's clock */
  add(workflow: string, lesson: Lesson, now: number): void {
    const known = this.begin(workflow)
    if (now - known.since >= MS_PER_S || now < known.since) [known.since, known.lately] = [now, 0]
    if (++known.lately > LESSONS_A_SECOND) return
    this.learn(workflow, known, lesson)
  }

  learn(workflow: string, known: Known, lesson: Lesson): void {
    const { kept } = known
    kept.push(lesson)
    if (kept.length > LESSONS) kept.shift()
    this.count++
    this.sizer.learn(workflow, lesson.input, lesson.used)
  }

  forget(tenant: string): void {
    for (const [workflow, known] of this.known) {
      const left = known.kept.filter(lesson => lesson.tenant !== tenant)
      if (left.length === known.kept.length) continue
      known.kept = left
      this.count++
      this.sizer.forget(workflow)
      for (const { input, used } of left) this.sizer.learn(workflow, input, used)
    }
  }
}

const all = new WeakMap<Session, Map<string, Lessons>>()

function lessonsOf(session: Session, names: readonly string[], under: number): Lessons {
  const known = all.get(session) ?? new Map<string, Lessons>()
  all.set(session, known)
  const key = JSON.stringify([under, ...names])
  const found = known.get(key)
  if (found !== undefined) return found
  const made = new Lessons(names, under)
  known.set(key, made)
  addLearner(session, made)
  return made
}

/**
 * Teaches the workflows of this governor by a run of another environment, whose own lessons are not its: anybody may leave notes, so what is not as it
 * should be is passed over.
 */
export function hearOf(session: Session, record: RunTold): void {
  const { id, workflow, outcome, tenant } = record
  if (typeof id !== 'string' || id.startsWith(`${session.binding.client}-`) || outcome !== 'success') return
  const whose = typeof tenant === 'string' ? tenant : undefined
  for (const lessons of all.get(session)?.values() ?? []) {
    if (!lessons.isOf(workflow)) continue
    if (whose !== undefined) forgettingOf(session).learnt(whose)
    const lesson = lessons.lessonOf(record, whose)
    if (lesson !== undefined) lessons.add(workflow, lesson, session.binding.now() / NS_PER_MS)
  }
}

/** What a run took, by these dimensions: as it said, else as it was measured. */
export function usedBy(names: readonly string[], record: RunTold): number[] {
  const took = amountsOf({ duration: Number.NaN, usage: {}, ...record })
  return names.map(name => {
    const amount = record.sized?.used?.[name] ?? took[name]
    return typeof amount === 'number' && amount >= 0 && amount <= UNITS_MAX ? amount : Number.NaN
  })
}

/** How the runs of a workflow that learns were sized, so far. Amounts are unit seconds, by dimension. */
export interface SizingStatus {
  /** runs that were done, and tries that had too little, as the work said or as was measured */
  readonly runs: number
  readonly short: number
  /** what all tries held, and what the runs that were done used, as far as that is known: the first by the second is the waste */
  readonly granted: AmountsByName
  readonly used: AmountsByName
}

/** How much the runs of one workflow are granted, in this governor. */
export class Sizing {
  readonly pool: Pool
  readonly names: readonly string[]
  readonly tries: number
  private readonly lessons: Lessons
  private bounds: SizeBounds | undefined
  private readAt = 0
  private runs = 0
  private short = 0
  private readonly granted: number[]
  private readonly used: number[]

  constructor(
    readonly session: Session,
    readonly workflow: string,
    private readonly tier: number,
    private readonly learning: ReadLearning
  ) {
    this.pool = learning.pool
    this.names = this.pool.names
    this.tries = learning.tries
    this.lessons = lessonsOf(session, this.names, learning.under)
    this.lessons.begin(workflow)
    this.granted = this.names.map(() => 0)
    this.used = this.names.map(() => 0)
  }

  /** Goes up with each. */
  get lessonsSofar(): number {
    return this.lessons.count
  }

  /** What a run of this input is to be granted, by dimension. */
  size(input: UsageInput): number[] {
    return this.lessons.sizer.size(this.workflow, input, this.boundsNow())
  }

  /** Twice as much; undefined: it may have no more. */
  more(amounts: readonly number[]): number[] | undefined {
    return doubled(amounts, this.boundsNow().most)
  }

  parts(amounts: readonly number[]): AdmitParts {
    return { pool: [this.pool, this.byName(amounts)], tokens: this.learning.tokens }
  }

  learn(lesson: Lesson): void {
    if (lesson.used.some(amount => !Number.isNaN(amount))) this.lessons.add(this.workflow, lesson, this.session.binding.now() / NS_PER_MS)
  }

  /** Learns from a run that was, of another time or place. */
  hear(record: RunTold): void {
    const lesson = this.lessons.lessonOf(record, record.tenant)
    if (lesson !== undefined) this.lessons.learn(this.workflow, this.lessons.begin(this.workflow), lesson)
  }

  /** Takes a try into the account: by dimension, unit seconds that it held, and used if it was done. */
  tried(isShort: boolean, held: readonly number[], used: readonly number[] | undefined): void {
    if (isShort) this.short++
    if (used !== undefined) this.runs++
    for (let d = 0; d < this.names.length; d++) {
      this.granted[d] = (this.granted[d] as number) + (held[d] as number)
      const one = used?.[d]
      if (one !== undefined && !Number.isNaN(one)) this.used[d] = (this.used[d] as number) + one
    }
  }

  status(): SizingStatus {
    return { runs: this.runs, short: this.short, granted: this.byName(this.granted), used: this.byName(this.used) }
  }

  byName(amounts: readonly number[]): AmountsByName {
    return Object.fromEntries(this.names.map((name, d) => [name, amounts[d] as number]))
  }

  /** Where the pool was made smaller meanwhile, at once. */
  lookAgain(): void {
    this.bounds = undefined
  }

  private boundsNow(): SizeBounds {
    const now = this.session.binding.now() / NS_PER_MS
    if (this.bounds === undefined || now - this.readAt >= CAPACITY_MS) {
      const { first, most } = this.learning
      const there = pools.mostOf(this.pool, this.tier)
      const top = there.map((amount, d) => Math.min(amount, most[d] ?? amount))
      this.bounds = {
        first: top.map((amount, d) => Math.min(amount, first[d] ?? Math.ceil(amount * FIRST_PART))),
        most: top,
        step: stepsOf(there)
      }
      this.readAt = now
    }
    return this.bounds
  }
}

/** What of an input a model looks at. */
export function usageInputOf(input: unknown): UsageInput {
  return typeof input === 'object' && input !== null && !Array.isArray(input) ? (input as UsageInput) : NO_INPUT
}

const NO_INPUT: UsageInput = Object.freeze({})
