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

/** What a run took of a pool, from its input. */
export interface Lesson {
  readonly tenant: string | undefined
  readonly input: UsageInput
  /** by dimension; NaN: not known */
  readonly used: readonly number[]
}

/** What all workflows of a governor have learnt of pools of the same dimensions, with the same part that may be short. */
class Lessons implements Learner {
  readonly sizer: Sizer
  count = 0
  private readonly kept = new Map<string, Lesson[]>()

  constructor(
    private readonly names: readonly string[],
    under: number
  ) {
    this.sizer = new Sizer({ dimensions: names.length, under })
  }

  /** Whether runs of it are sized here. */
  isOf(workflow: string): boolean {
    return this.kept.has(workflow)
  }

  begin(workflow: string): void {
    if (!this.kept.has(workflow)) this.kept.set(workflow, [])
  }

  hear(record: RunRecord, tenant: string | undefined): void {
    const used = usedBy(this.names, record)
    if (used.some(amount => !Number.isNaN(amount))) this.add(record.workflow, { tenant, input: usageInputOf(record.input), used })
  }

  add(workflow: string, lesson: Lesson): void {
    const kept = this.kept.get(workflow) ?? []
    this.kept.set(workflow, kept)
    kept.push(lesson)
    if (kept.length > LESSONS) kept.shift()
    this.count++
    this.sizer.learn(workflow, lesson.input, lesson.used)
  }

  forget(tenant: string): void {
    for (const [workflow, kept] of this.kept) {
      const left = kept.filter(lesson => lesson.tenant !== tenant)
      if (left.length === kept.length) continue
      this.kept.set(workflow, left)
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
export function hearOf(session: Session, record: RunRecord): void {
  const { id, workflow, outcome, tenant } = record
  if (typeof id !== 'string' || id.startsWith(`${session.binding.client}-`) || outcome !== 'success') return
  const whose = typeof tenant === 'string' ? tenant : undefined
  for (const lessons of all.get(session)?.values() ?? []) {
    if (!lessons.isOf(workflow)) continue
    if (whose !== undefined) forgettingOf(session).learnt(whose)
    lessons.hear(record, whose)
  }
}

/** What a run took, by these dimensions: as it said, else as it was measured. */
export function usedBy(names: readonly string[], record: RunRecord): number[] {
  const took = amountsOf(record)
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
    if (lesson.used.some(amount => !Number.isNaN(amount))) this.lessons.add(this.workflow, lesson)
  }

  /** Learns from a run that was, of another time or place. */
  hear(record: RunRecord): void {
    this.lessons.hear({ ...record, workflow: this.workflow }, record.tenant)
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
