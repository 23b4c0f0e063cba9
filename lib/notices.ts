import type { WarmKind } from './plan/warm-planner.js'
import { fieldsOf, isText } from './telemetry/json-note.js'

/** Who plans for an arena holds this lock of it; it ends with its process. */
export const AGENT_LOCK = 'forelock:agent'

/** What can be foretold to be too little. */
export type ContendedKind = 'pool' | 'lock' | 'bucket'

/** It is likely that a tier will ask a pool for more than is free, wait for a lock that a lower tier has, or for tokens of a bucket. */
export interface ContentionNotice {
  readonly event: 'contention'
  /** different from that of all others of the arena */
  readonly id: string
  readonly kind: ContendedKind
  /** its name */
  readonly what: string
  /** who will ask, by name of the tier */
  readonly tier: string
  /** that they ask for more than there is for them */
  readonly probability: number
  /** ms from now within which, and for which it is followed what becomes of it */
  readonly within: number
  readonly followed: number
  /** units that are kept for them now */
  readonly kept: number
  /** units of the pool, and those that are free now; of a lock it is one; of a bucket: tokens that there can be, and that there will be, within that time */
  readonly capacity: number
  readonly free: number
  /** units that they will ask for within that time, and that anybody asks for usually */
  readonly expected: number
  readonly usual: number
  /** ms from now until so much has come free that they find what they will ask for, and one more does, if nobody of a lower tier begins meanwhile */
  readonly gap: number
  /** ms for which who is in the way keeps others from a unit; undefined: for as long as he goes on */
  readonly held?: number | undefined
  /** of a bucket: tokens that come a second */
  readonly refill?: number | undefined
  /** workflows that used it lately, by name, and how many units each asks for a second: others are not concerned. Undefined: all are */
  readonly users?: Readonly<Record<string, number>> | undefined
  /** what waiting costs a request and second, by tier, lowest first */
  readonly costs: readonly number[]
}

/** What became of a collision that was foretold. */
export interface OutcomeNotice {
  readonly event: 'outcome'
  readonly id: string
  readonly kind: ContendedKind
  readonly what: string
  readonly tier: string
  /** whether the tier asked for more than was free; of a lock or a bucket: whether one of its requests had to wait */
  readonly came: boolean
  /** of the tier while it was followed, and ms that they waited together */
  readonly requests: number
  readonly waited: number
}

/** A plan was written. */
export interface PlanNotice {
  readonly event: 'plan'
  readonly kind: 'hold' | 'reserve' | 'share' | 'escalation' | 'keep' | 'warm'
  /** name of the lock, bucket or pool, or of the workflow that is warmed up; empty for an escalation */
  readonly what: string
  /** for whom: names of the tier, workflow or tenant */
  readonly tier: string | undefined
  readonly who: string | undefined
  readonly amount: number | undefined
  /** ms from now */
  readonly until: number
}

/** Something is likely to be asked for, or a workflow to begin: whoever has to be ready for it may get ready. */
export interface WarmNotice {
  readonly event: 'warm'
  readonly kind: WarmKind
  /** its name */
  readonly what: string
  /** the workflow that is expected to ask for it, or to begin; undefined: anybody */
  readonly who: string | undefined
  readonly probability: number
  /** ms from now until which */
  readonly until: number
}

/** What an agent tells those whom it concerns. */
export type Notice = ContentionNotice | OutcomeNotice | PlanNotice | WarmNotice
export type NoticeEvent = Notice['event']

type Fields = Readonly<Record<string, unknown>>

const PLANS: readonly unknown[] = ['hold', 'reserve', 'share', 'escalation', 'keep'] satisfies PlanNotice['kind'][]

const CONTENDED: readonly unknown[] = ['pool', 'lock', 'bucket'] satisfies ContendedKind[]

const WARMED: readonly unknown[] = ['lock', 'bucket', 'pool', 'workflow'] satisfies WarmKind[]

const isAmount = (value: unknown) => typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY
const isTextOrNot = (value: unknown) => value === undefined || isText(value)

/** What each kind of notice must have: anybody may write notes. */
const IS: Readonly<Record<NoticeEvent, (fields: Fields) => boolean>> = {
  contention: ({ id, kind, what, tier, probability, within, followed, kept, capacity, free, expected, usual, gap, costs, ...more }) =>
    CONTENDED.includes(kind) &&
    [id, what, tier].every(isText) &&
    [probability, within, followed, kept, capacity, free, expected, usual, gap].every(isAmount) &&
    [more.held, more.refill].every(value => value === undefined || isAmount(value)) &&
    (more.users === undefined || Object.values(fieldsOf(more.users)).every(isAmount)) &&
    Array.isArray(costs) &&
    costs.every(isAmount),
  outcome: ({ id, kind, what, tier, came, requests, waited }) =>
    CONTENDED.includes(kind) && [id, what, tier].every(isText) && typeof came === 'boolean' && [requests, waited].every(isAmount),
  plan: ({ kind, what, tier, who, amount = 0, until }) =>
    PLANS.includes(kind) && isText(what) && [tier, who].every(isTextOrNot) && [amount, until].every(isAmount),
  warm: ({ kind, what, who, probability, until }) =>
    WARMED.includes(kind) && isText(what) && isTextOrNot(who) && [probability, until].every(isAmount)
}

/** Reads one; undefined: it is none. */
export function readNotice(value: unknown): Notice | undefined {
  const fields = fieldsOf(value)
  const { event } = fields
  return isText(event) && Object.hasOwn(IS, event) && IS[event as NoticeEvent](fields) ? (value as Notice) : undefined
}

/** The same, told so many ms ago; undefined: what it is about is over. */
export function agedBy(notice: Notice, ms: number): Notice | undefined {
  if (notice.event === 'outcome') return notice
  if (notice.event === 'plan' || notice.event === 'warm') return notice.until > ms ? { ...notice, until: notice.until - ms } : undefined
  const { within, followed, gap } = notice
  return within > ms ? { ...notice, within: within - ms, followed: Math.max(0, followed - ms), gap: Math.max(0, gap - ms) } : undefined
}
